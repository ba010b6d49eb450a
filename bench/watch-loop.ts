// Each gateway of the bench loads this first. When a timer of its event loop is late, this notes by
// how many ms, and for how many of them at most the thread was working. For the others it waited
// for a processor.
import { openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";

const TICK_MS = 5;
const NOTED_MS = 2;
const NS = 1_000_000;

const notes = openSync(join(process.env.BENCH_BLOCKED ?? "", String(process.pid)), "a");
/** Its first number is the thread's CPU time in ns, exact to a tick of the kernel. */
const schedstat = openSync("/proc/thread-self/schedstat", "r");
const buffer = Buffer.alloc(80);

function workedMs() {
  const length = readSync(schedstat, buffer, 0, buffer.length, 0);
  return Number(buffer.toString("latin1", 0, length).split(" ")[0]) / NS;
}

let last = { at: performance.now(), worked: workedMs() };
setInterval(() => {
  const now = { at: performance.now(), worked: workedMs() };
  const late = now.at - last.at - TICK_MS;
  if (late > NOTED_MS) writeSync(notes, `${late} ${Math.min(late, now.worked - last.worked)}\n`);
  last = now;
}, TICK_MS).unref();
