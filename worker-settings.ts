import type { NativeConnectionOptions, WorkerOptions } from "@temporalio/worker";

/** How the service's workers talk to Temporal; the bench's bare workflow, its floor, has the same. */
export const workerSettings = {
  connection: {
    // A flow's messages are some hundred octets: gzip costs both sides more time than it saves.
    grpcCompression: { codec: "none" },
  } satisfies NativeConnectionOptions,
  polling: {
    // As many poll for a flow's first task as for its later ones: a login by app has one of each.
    nonStickyToStickyPollRatio: 0.5,
  } satisfies Partial<WorkerOptions>,
};
