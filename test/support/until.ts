import { setTimeout as sleep } from "node:timers/promises";
import { limit } from "./limits.ts";

const POLL_MS = 25;
const PATIENCE_MS = limit(15_000);

/**
 * Reads repeatedly until the value is as wanted, and resolves with it. Throws after a time limit.
 */
export async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (performance.now() > end)
      throw new Error(`It never came to what was waited for: ${JSON.stringify(value)}`);
    await sleep(POLL_MS);
  }
}
