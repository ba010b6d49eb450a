// Makes what the service needs in the Temporal server at TEMPORAL_ADDRESS: the namespace, its
// retention and its search attributes. The one-shot command of an installation; safe to repeat.
import { setTimeout as sleep } from "node:timers/promises";
import {
  connectTemporal,
  ensureNamespace,
  registerSearchAttributes,
  setRetention,
} from "./temporal-namespace.ts";

const PATIENCE_MS = 60_000;
const RETRY_MS = 2_000;

const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace = "default" } = process.env;
if (!address) {
  console.error("Set TEMPORAL_ADDRESS to the Temporal server, such as temporal:7233");
  process.exit(1);
}

async function prepare(at: string): Promise<void> {
  const connection = await connectTemporal(at);
  try {
    await ensureNamespace(connection, namespace);
    await setRetention(connection, namespace);
    await registerSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}

// A server that has just started, or a namespace that has just been made, needs some seconds.
const end = performance.now() + PATIENCE_MS;
for (;;) {
  try {
    await prepare(address);
    break;
  } catch (error) {
    const problem = `Temporal at ${address}: ${error instanceof Error ? error.message : error}`;
    console.error(problem);
    if (performance.now() > end) process.exit(1);
    await sleep(RETRY_MS);
  }
}
console.log(`The namespace ${namespace} is prepared.`);
