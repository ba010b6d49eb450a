import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import type { TemporalServer } from "../temporal/connection.ts";
import { DAY_MS } from "../units.ts";
import { isKeptForOthers, orCommands } from "./temporal-rights.ts";

const CONNECT_MS = 3_000;
/** How long operators can look back at a closed workflow, if nothing else is set. */
const RETENTION_DAYS = 30;
const KEYWORD = 2;
/** Operators find flows by these attributes; each is a keyword. */
export const SEARCH_ATTRIBUTES = ["MfaUserId", "MfaAccountId", "MfaState", "MfaMethod"];
/** gRPC statuses. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
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
 * a namespace that exists stays as it is, unless `retentionDays` says otherwise. Changes nothing
 * that is right already. Where only others may change it, throws `ToBeMade`.
 */
export async function ensureNamespace(
  connection: Connection,
  namespace: string,
  retentionDays?: number,
): Promise<void> {
  const { workflowService } = connection;
  const wantedDays = retentionDays ?? RETENTION_DAYS;
  const making = [
    `namespace create --namespace ${namespace} --retention ${wantedDays}d`,
    ...SEARCH_ATTRIBUTES.map((name) => creating(namespace, name)),
  ];
  const kept = await orCommands(keptDays(connection, namespace), making);
  if (kept === undefined) {
    const workflowExecutionRetentionPeriod = days(wantedDays);
    await orCommands(
      workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod }),
      making,
    );
  } else if (retentionDays !== undefined && kept !== retentionDays) {
    await orCommands(setRetention(connection, namespace, retentionDays), [
      `namespace update --namespace ${namespace} --retention ${retentionDays}d`,
    ]);
  }
}

/** For how many days the namespace keeps ended workflows; undefined if there is no such namespace. */
async function keptDays({ workflowService }: Connection, namespace: string) {
  try {
    const { config } = await workflowService.describeNamespace({ namespace });
    return (Number(config?.workflowExecutionRetentionTtl?.seconds) * 1000) / DAY_MS;
  } catch (error) {
    if (statusOf(error) !== NOT_FOUND) throw error;
    return undefined;
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

/** The words after `temporal operator` that make the attribute. */
const creating = (namespace: string, name: string) =>
  `search-attribute create --namespace ${namespace} --name ${name} --type Keyword`;

/**
 * Registers those search attributes of this service's workflows that the namespace lacks. Resolves
 * when the server takes workflows with them; throws if it does not within 30 seconds. Where only
 * others may register them, throws `ToBeMade`.
 */
export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<void> {
  const missing = await missingAttributes(connection, namespace);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  await orCommands(
    connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
    missing.map((name) => creating(namespace, name)),
  );
  const query = missing.map((name) => `${name} = "any"`).join(" OR ");
  const end = performance.now() + KNOWN_MS;
  while (!(await canAsk(connection, namespace, query))) {
    if (performance.now() > end)
      throw new Error(`The server does not know the search attributes: ${missing.join(", ")}`);
    await sleep(RETRY_MS);
  }
}

/** Where the server lists no attributes for this client, its answers to queries tell. */
async function missingAttributes(connection: Connection, namespace: string): Promise<string[]> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    return SEARCH_ATTRIBUTES.filter((name) => !(name in customAttributes));
  } catch (error) {
    if (!isKeptForOthers(error)) throw error;
    const known = await Promise.all(
      SEARCH_ATTRIBUTES.map((name) => canAsk(connection, namespace, `${name} = "any"`)),
    );
    return SEARCH_ATTRIBUTES.filter((_, at) => !known[at]);
  }
}

/** Whether the server knows the attributes of the query. */
async function canAsk({ workflowService }: Connection, namespace: string, query: string) {
  try {
    await workflowService.countWorkflowExecutions({ namespace, query });
    return true;
  } catch (error) {
    if (statusOf(error) !== INVALID_ARGUMENT) throw error;
    return false;
  }
}

const statusOf = (error: unknown) => (error as { code?: number }).code;
