import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import type { TemporalServer } from "../temporal/connection.ts";
import { DAY_MS } from "../units.ts";

const CONNECT_MS = 3_000;
/** How long operators can look back at a closed workflow, if nothing else is set. */
const RETENTION_DAYS = 30;
const KEYWORD = 2;
/** Operators find flows by these attributes; each is a keyword. */
export const SEARCH_ATTRIBUTES = ["MfaUserId", "MfaAccountId", "MfaState", "MfaMethod"];
/** gRPC statuses. */
const INVALID_ARGUMENT = 3;
const ALREADY_EXISTS = 6;
/**
 * In ms. Every two seconds (an older server: ten), a server looks for what other servers have
 * added.
 */
const KNOWN_MS = 30_000;
const RETRY_MS = 200;

/** A connection to a Temporal server that fails after three seconds instead of waiting for it. */
export function connectTemporal(server: TemporalServer): Promise<Connection> {
  return Connection.connect({ ...server, connectTimeout: CONNECT_MS });
}

/**
 * Makes the namespace where it is missing. The server knows it some seconds later. The retention of
 * a namespace that exists stays as it is, unless `retentionDays` says otherwise.
 */
export async function ensureNamespace(
  connection: Connection,
  namespace: string,
  retentionDays?: number,
): Promise<void> {
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: days(retentionDays ?? RETENTION_DAYS),
    });
  } catch (error) {
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
    if (retentionDays !== undefined) await setRetention(connection, namespace, retentionDays);
  }
}

/** Keeps the histories of closed workflows for so many days. */
export async function setRetention(
  connection: Connection,
  namespace: string,
  retentionDays = RETENTION_DAYS,
): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: days(retentionDays) },
  });
}

const days = (count: number) => msToTs(count * DAY_MS);

/**
 * Registers those search attributes of this service's workflows that the namespace lacks. Resolves
 * when the server takes workflows with them; throws if it does not within 30 seconds.
 */
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
  const query = missing.map((name) => `${name} = "any"`).join(" OR ");
  const end = performance.now() + KNOWN_MS;
  while (!(await canAsk(connection, namespace, query))) {
    if (performance.now() > end)
      throw new Error(`The server does not know the search attributes: ${missing.join(", ")}`);
    await sleep(RETRY_MS);
  }
}

/** Whether the server knows the attributes of the query. */
async function canAsk({ workflowService }: Connection, namespace: string, query: string) {
  try {
    await workflowService.countWorkflowExecutions({ namespace, query });
    return true;
  } catch (error) {
    if ((error as { code?: number }).code !== INVALID_ARGUMENT) throw error;
    return false;
  }
}
