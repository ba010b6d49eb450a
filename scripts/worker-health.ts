// The health check of a worker's container: ends with 0 if its worker asks Temporal for work.
import { hostname } from "node:os";
import { isPolling, recently } from "./pollers.ts";
import { connectTemporal } from "./temporal-namespace.ts";

const { TEMPORAL_ADDRESS = "", TEMPORAL_NAMESPACE = "default" } = process.env;
try {
  const connection = await connectTemporal(TEMPORAL_ADDRESS);
  const polls = await isPolling(connection, TEMPORAL_NAMESPACE, {
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
