import { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time";

const CONNECT_MS = 3_000;
const RETENTION_DAYS = 30;
const KEYWORD = 2;
const SEARCH_ATTRIBUTES = ["MfaUserId", "MfaAccountId", "MfaState", "MfaMethod"];

/** A connection to a Temporal server that fails after three seconds instead of waiting for it. */
export function connectTemporal(address: string): Promise<Connection> {
  return Connection.connect({ address, connectTimeout: CONNECT_MS });
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

/** Keeps the histories of closed workflows for 30 days, so that operators can look back. */
export async function setRetention(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(`${RETENTION_DAYS} days`) },
  });
}
