import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import { forgetQueuedEvents, takeQueuedEvents } from "../store/postgres/event-queue.ts";
import { followUps } from "./follow-ups.ts";
import type { FollowUp } from "./start.ts";

export type RelayDeps = {
  db: Db;
  config: Config;
  /** Starts the workflow, or finds that it was started before. */
  start(followUp: FollowUp): Promise<void>;
  log: { info(fields: object, words: string): void; warn(fields: object, words: string): void };
};

/**
 * Starts the follow-ups of new audit events until it is stopped. Answers a function that stops it;
 * this resolves when the current work is done. Several relays may run at once. While PostgreSQL or
 * Temporal is down, the events wait.
 */
export function startRelay(deps: RelayDeps): () => Promise<void> {
  const stopping = new AbortController();
  const ended = relay(deps, stopping.signal);
  return () => {
    stopping.abort();
    return ended;
  };
}

async function relay(deps: RelayDeps, stopping: AbortSignal): Promise<void> {
  const { log, config } = deps;
  const { pollMs, longestWaitMs } = config.limits.relay;
  for (let failures = 0; !stopping.aborted; ) {
    let waitMs = 0;
    try {
      if ((await passOn(deps)) === 0) waitMs = pollMs;
      if (failures > 0) log.info({ failures }, "follow-ups of events start again");
      failures = 0;
    } catch (error) {
      const { name, code } = causeOf(error);
      if (failures === 0)
        log.warn({ error: name, code }, "follow-ups of events cannot start; they are retried");
      failures += 1;
      waitMs = Math.min(pollMs * 2 ** failures, longestWaitMs);
    }
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
  }
}

/**
 * Starts the follow-ups of the oldest events that no other relay holds, and answers how many events
 * those were. Follow-ups start before the events leave the queue, and each starts only once, so a
 * crash loses and repeats nothing.
 */
async function passOn({ db, config, start }: RelayDeps): Promise<number> {
  return db.transaction(async (tx) => {
    const taken = await takeQueuedEvents(tx, config.limits.relay.batch);
    if (taken.length === 0) return 0;
    const begun = await followUps({ db: tx, config }, taken);
    await Promise.all(begun.map(start));
    await forgetQueuedEvents(tx, taken);
    return taken.length;
  });
}

/** Leaves out the error's message, which may quote data. */
function causeOf(error: unknown): { name?: string; code?: unknown } {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return cause as { name?: string; code?: unknown };
}
