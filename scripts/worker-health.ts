// The health check of a worker's container: ends with 0 if its worker asks Temporal for work.
import { hostname } from "node:os";
import { loadSettings, orExit } from "../config.ts";
import { TEMPORAL_SETTINGS, temporalServer } from "../temporal/connection.ts";
import { isPolling, recently } from "./pollers.ts";
import { connectTemporal } from "./temporal-namespace.ts";

const settings = orExit(() => loadSettings([...TEMPORAL_SETTINGS, "TEMPORAL_NAMESPACE"]));
try {
  const connection = await connectTemporal(temporalServer(settings));
  const polls = await isPolling(connection, settings.TEMPORAL_NAMESPACE, {
    since: recently(Date.now()),
    // The SDK calls a worker `pid@host`.
    isIt: ({ identity }) => identity.endsWith(`@${hostname()}`),
  });
  if (!polls) throw new Error("No worker of this machine asks for work");
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
