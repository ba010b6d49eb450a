// Makes what the service needs in the Temporal server at TEMPORAL_ADDRESS: the namespace, its
// retention, its search attributes and its schedule. The one-shot command of an installation; safe
// to repeat.
import { setTimeout as sleep } from "node:timers/promises";
import { loadSettings, orExit } from "../config.ts";
import { TEMPORAL_SETTINGS, temporalServer } from "../temporal/connection.ts";
import { ensureAuditSchedule } from "./audit-schedule.ts";
import {
  connectTemporal,
  ensureNamespace,
  registerSearchAttributes,
} from "./temporal-namespace.ts";
import { ToBeMade } from "./temporal-rights.ts";

const PATIENCE_MS = 60_000;
const RETRY_MS = 2_000;

const settings = orExit(() =>
  loadSettings([...TEMPORAL_SETTINGS, "TEMPORAL_NAMESPACE", "TEMPORAL_RETENTION_DAYS"]),
);
const { TEMPORAL_NAMESPACE: namespace, TEMPORAL_RETENTION_DAYS: retentionDays } = settings;

async function prepare(): Promise<void> {
  const connection = await connectTemporal(temporalServer(settings));
  try {
    await ensureNamespace(connection, namespace, retentionDays);
    await registerSearchAttributes(connection, namespace);
    await ensureAuditSchedule(connection, namespace);
  } finally {
    await connection.close();
  }
}

// A server that has just started, or a namespace that has just been made, needs some seconds.
const end = performance.now() + PATIENCE_MS;
for (;;) {
  try {
    await prepare();
    break;
  } catch (error) {
    const problem = `Temporal at ${settings.TEMPORAL_ADDRESS}: ${error instanceof Error ? error.message : error}`;
    console.error(problem);
    // Waiting does not help where somebody else has to do something.
    if (error instanceof ToBeMade || performance.now() > end) process.exit(1);
    await sleep(RETRY_MS);
  }
}
console.log(`The namespace ${namespace} is prepared.`);
