import { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time";

const CONNECT_MS = 3_000;
/** So long operators can look back at a workflow that has closed. */
const RETENTION = msToTs("30 days");
const KEYWORD = 2;
const SEARCH_ATTRIBUTES = ["MfaUserId", "MfaAccountId", "MfaState", "MfaMethod"];
/** A gRPC status. */
const ALREADY_EXISTS = 6;

/** A connection to a Temporal server that fails after three seconds instead of waiting for it. */
export function connectTemporal(address: string): Promise<Connection> {
  return Connection.connect({ address, connectTimeout: CONNECT_MS });
}

/** Makes the namespace where it is missing. The server knows it some seconds later. */
export async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: RETENTION,
    });
  } catch (error) {
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
  }
}

/** Keeps the histories of closed workflows for 30 days. */
export async function setRetention(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: RETENTION },
  });
}

/** Registers the search attributes of this service's workflows that the namespace lacks. */
export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<void> {
  const { operatorService } = connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => !(name in customAttributes));
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  await operatorService.addSearchAttributes({ namespace, searchAttributes });
}
