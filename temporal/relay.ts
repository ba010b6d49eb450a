import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import { forgetQueuedEvents, takeQueuedEvents } from "../store/postgres/event-queue.ts";
import { followUps } from "./follow-ups.ts";
import type { FollowUp } from "./start.ts";

export type RelayDeps = {
  db: Db;
  config: Config;
  /** Starts what an event begins, or finds that it has begun before. */
  start(followUp: FollowUp): Promise<void>;
  log: { info(fields: object, words: string): void; warn(fields: object, words: string): void };
};

/**
 * Passes the audit trail's new events on for as long as it runs; answers what stops it, once what
 * is under way is done. Several may run at once. While PostgreSQL or Temporal is away events wait.
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
      if (failures > 0) log.info({ failures }, "events are passed on again");
      failures = 0;
    } catch (error) {
      const { name, code } = causeOf(error);
      if (failures === 0)
        log.warn({ error: name, code }, "events cannot be passed on; they wait until they can");
      failures += 1;
      waitMs = Math.min(pollMs * 2 ** failures, longestWaitMs);
    }
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
  }
}

/**
 * Passes on the oldest events that nobody else is passing on; answers how many. What they begin is
 * begun before they are forgotten, so a crash between begins nothing twice and loses nothing.
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

/** Without the error's own words, which may quote what it was about. */
function causeOf(error: unknown): { name?: string; code?: unknown } {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return cause as { name?: string; code?: unknown };
}
