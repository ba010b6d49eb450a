import { availableParallelism } from "node:os";

/**
 * Temporal's dynamic configuration, the same wherever this project starts a server:
 * scripts/compose/temporal.yaml holds it for Docker.
 */
export const TEMPORAL_SETTINGS = {
  // With this an activity inside an Update, such as sending a passcode, takes a quarter of the
  // time.
  "system.enableActivityEagerExecution": true,
  // A task queue of some thousand tasks a second needs one partition; more would pass tasks on to
  // each other.
  "matching.numTaskqueueReadPartitions": 1,
  "matching.numTaskqueueWritePartitions": 1,
};

/** What the CLI's server needs too, to work like other servers. */
export const LOCAL_TEMPORAL_SETTINGS = {
  ...TEMPORAL_SETTINGS,
  // It has one shard. By default that queue is read twenty times a second: up to 50 ms more for
  // each step of a flow.
  "history.transferProcessorMaxPollRPS": 1_000,
  // By default it reads the names of search attributes again for each use, a dozen a flow. It gets
  // ours at its start.
  "system.forceSearchAttributesCacheRefreshOnRead": false,
};

/**
 * Go's garbage collector runs when the heap has grown fivefold, not twofold: more memory, less CPU
 * time.
 */
export const TEMPORAL_ENV = { GOGC: "400" };

/**
 * For a server that shares its machine: half of the processors. Go's extra idle threads only take
 * CPU time from busy ones.
 */
export const LOCAL_TEMPORAL_ENV = {
  ...TEMPORAL_ENV,
  GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
};
