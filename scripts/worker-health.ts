// Ends with 0 when the worker of this container asks Temporal for work: the container's health.
import { hostname } from "node:os";
import { expectPollers } from "./pollers.ts";
import { connectTemporal } from "./temporal-namespace.ts";

/** A worker without work asks again after a minute. */
const RECENT_MS = 150_000;

const { TEMPORAL_ADDRESS = "", TEMPORAL_NAMESPACE = "default" } = process.env;
try {
  const connection = await connectTemporal(TEMPORAL_ADDRESS);
  await expectPollers(connection, TEMPORAL_NAMESPACE, {
    since: new Date(Date.now() - RECENT_MS),
    // The SDK calls a worker `pid@host`.
    isIt: (identity) => identity.endsWith(`@${hostname()}`),
  });
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
