// With `--profile`, every thread of the gateway and the worker loads this file first. One SIGUSR2
// starts a profile of every thread, the next one ends it. It is plain JavaScript, because worker
// threads load it too.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

const INTERVAL_US = 250;
/**
 * One tick, in which the kernel counts CPU time (proc(5)). A profile counts wall-clock time, so the
 * bench scales it to the CPU time.
 */
const TICK_MS = 10;

const file = join(process.env.BENCH_PROFILES, `${process.pid}-${threadId}`);
const channel = new BroadcastChannel("profile");
channel.unref();
let session;
let cpuBefore;

async function toggle() {
  if (session) return end();
  writeFileSync(`${file}.begun`, "");
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  cpuBefore = cpuOfThread();
  await session.post("Profiler.start");
}

async function end() {
  const { profile } = await session.post("Profiler.stop");
  const cpuMs = cpuOfThread() - cpuBefore;
  session.disconnect();
  session = undefined;
  writeFileSync(`${file}.begun`, JSON.stringify({ cpuMs, profile }));
  renameSync(`${file}.begun`, `${file}.cpuprofile`);
}

function cpuOfThread() {
  const stat = readFileSync("/proc/thread-self/stat", "utf8");
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

channel.onmessage = toggle;
if (isMainThread)
  process.on("SIGUSR2", () => {
    channel.postMessage("toggle");
    toggle();
  });
