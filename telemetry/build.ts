/** What the metrics call the build of a process without WORKER_BUILD_ID. */
export const NO_BUILD = "none";
