import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import {
  claimQueuedEvents,
  forgetQueuedEvents,
  releaseQueuedEvents,
} from "../store/postgres/events/event-queue.ts";
import { followUps } from "./follow-ups.ts";
import { type Log, startRepeating } from "./repeating.ts";
import type { FollowUp } from "./start.ts";

export type RelayDeps = {
  db: Db;
  config: Config;
  /** Starts the workflow, or finds that it was started before. */
  start(followUp: FollowUp): Promise<void>;
  log: Log;
};

/**
 * Starts the follow-ups of new audit events until it is stopped. Answers a function that stops it;
 * this resolves when the current work is done. Several relays may run at once. While PostgreSQL or
 * Temporal is down, the events wait.
 */
export function startRelay(deps: RelayDeps): () => Promise<void> {
  const { pollMs, longestWaitMs } = deps.config.limits.relay;
  const words = {
    fails: "follow-ups of events cannot start; they are retried",
    again: "follow-ups of events start again",
  };
  return startRepeating({ work: () => passOn(deps), pollMs, longestWaitMs, log: deps.log, words });
}

/**
 * Starts the follow-ups of the oldest events that no other relay has claimed, and answers how many
 * events those were. Follow-ups start before the events leave the queue, and each starts only once,
 * so a crash loses and repeats nothing. No transaction is open while Temporal is asked.
 */
async function passOn({ db, config, start }: RelayDeps): Promise<number> {
  const { batch, claimMs } = config.limits.relay;
  const claimed = await claimQueuedEvents(db, { limit: batch, claimMs });
  if (claimed.length === 0) return 0;
  try {
    const begun = await followUps({ db, config }, claimed);
    await Promise.all(begun.map(start));
  } catch (error) {
    // If this fails, their claim runs out. The first error says what is wrong.
    await releaseQueuedEvents(db, claimed).catch(() => {});
    throw error;
  }
  await forgetQueuedEvents(db, claimed);
  return claimed.length;
}
