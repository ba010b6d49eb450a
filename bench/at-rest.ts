import { setTimeout as sleep } from "node:timers/promises";
import { type Process, usageOf } from "./usage.ts";

const LOOK_MS = 500;
/** In cores, over all processes: at rest they use less. */
const QUIET = 0.2;
const PATIENCE_MS = 15 * 60_000;

/**
 * Resolves when these processes are at rest, so that leftover tasks of earlier flows are not
 * measured.
 */
export async function untilAtRest(processes: Process[]): Promise<void> {
  const used = () => Object.values(usageOf(processes)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const end = performance.now() + PATIENCE_MS;
  for (let before = used(); performance.now() < end; ) {
    await sleep(LOOK_MS);
    const now = used();
    if (now - before < LOOK_MS * QUIET) return;
    before = now;
  }
  throw new Error("The stack does not come to rest");
}
