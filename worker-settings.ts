import type { NativeConnectionOptions, WorkerOptions } from "@temporalio/worker";

/**
 * How the service's workers talk to Temporal. The benchmark's empty workflow, its floor, uses the
 * same.
 */
export const workerSettings = {
  connection: {
    // A flow's messages have only some hundred octets, so gzip costs both sides more time than it
    // saves.
    grpcCompression: { codec: "none" },
  } satisfies NativeConnectionOptions,
  polling: {
    // Equal numbers poll for flows' first tasks and for later ones: a login by app has one of each.
    nonStickyToStickyPollRatio: 0.5,
  } satisfies Partial<WorkerOptions>,
};
