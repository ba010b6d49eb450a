import { availableParallelism } from "node:os";

/**
 * Temporal's dynamic configuration, the same wherever this project starts a server:
 * scripts/compose/temporal.yaml holds it for Docker.
 */
export const TEMPORAL_SETTINGS = {
  // An activity inside an Update, such as sending a passcode, takes a quarter of the time with it.
  "system.enableActivityEagerExecution": true,
  // One task queue of some thousand tasks a second needs no parts, which hand tasks on to each other.
  "matching.numTaskqueueReadPartitions": 1,
  "matching.numTaskqueueWritePartitions": 1,
};

/** What the CLI's server needs besides, to do as others do. */
export const LOCAL_TEMPORAL_SETTINGS = {
  ...TEMPORAL_SETTINGS,
  // It has one shard, whose queue would be read twenty times a second: up to 50 ms for each step of a flow.
  "history.transferProcessorMaxPollRPS": 1_000,
  // It reads the names of search attributes anew for each use, a dozen a flow; it is given ours at its start.
  "system.forceSearchAttributesCacheRefreshOnRead": false,
};

/** Go's collector runs when the heap has grown fivefold, not twofold: memory for processor time. */
export const TEMPORAL_ENV = { GOGC: "400" };

/**
 * For a server beside all else on one machine: half of its processors. Go's threads look for work on
 * as many as they may, and take them from those who have some.
 */
export const LOCAL_TEMPORAL_ENV = {
  ...TEMPORAL_ENV,
  GOMAXPROCS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
};
