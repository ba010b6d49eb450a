import { setTimeout as sleep } from "node:timers/promises";

/** Where repeated work says that it fails, and that it is done again. */
export type Log = {
  info(fields: object, words: string): void;
  warn(fields: object, words: string): void;
};

type Repeating = {
  /** Does the next part of the work; answers how much that was, 0 if nothing waits. */
  work(): Promise<number>;
  pollMs: number;
  longestWaitMs: number;
  log: Log;
  /** What is said when it fails for the first time, and when it is done again. */
  words: { fails: string; again: string };
};

/**
 * Repeats the work until it is stopped: at once while there is any, else every `pollMs`. After
 * failures it waits longer. Answers a function that stops it; this resolves when the current work
 * is done.
 */
export function startRepeating(repeating: Repeating): () => Promise<void> {
  const stopping = new AbortController();
  const ended = repeat(repeating, stopping.signal);
  return () => {
    stopping.abort();
    return ended;
  };
}

async function repeat(
  { work, pollMs, longestWaitMs, log, words }: Repeating,
  stopping: AbortSignal,
): Promise<void> {
  for (let failures = 0; !stopping.aborted; ) {
    let waitMs = 0;
    try {
      if ((await work()) === 0) waitMs = pollMs;
      if (failures > 0) log.info({ failures }, words.again);
      failures = 0;
    } catch (error) {
      const { name, code } = causeOf(error);
      if (failures === 0) log.warn({ error: name, code }, words.fails);
      failures += 1;
      waitMs = Math.min(pollMs * 2 ** failures, longestWaitMs);
    }
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stopping }).catch(() => {});
  }
}

/** Leaves out the error's message, which may quote data. */
function causeOf(error: unknown): { name?: string; code?: unknown } {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return cause as { name?: string; code?: unknown };
}
