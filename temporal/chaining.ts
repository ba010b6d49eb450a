import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import { chainEvents } from "../store/postgres/events/event-chain.ts";
import { type Log, startRepeating } from "./repeating.ts";

/**
 * Adds new audit events to their accounts' chains until it is stopped. Answers a function that
 * stops it. Every worker does this; of several at once, one works and the others wait.
 */
export function startChaining(deps: { db: Db; config: Config; log: Log }): () => Promise<void> {
  const { db, config, log } = deps;
  const { batch, ...waits } = config.limits.chaining;
  const words = {
    fails: "events cannot be chained; they are retried",
    again: "events are chained again",
  };
  return startRepeating({ work: () => chainEvents(db, batch), ...waits, log, words });
}
