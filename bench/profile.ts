import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Report } from "../scripts/progress.ts";
import { fill } from "./growth.ts";
import { allLoads } from "./loads.ts";
import { openMeasuring } from "./measure.ts";
import type { Options } from "./options.ts";
import { describeProfile, type Thread } from "./profile-table.ts";
import { startStack } from "./stack.ts";
import { threadsOf } from "./usage.ts";

const PROFILED = ["gateway", "worker"];
const POLL_MS = 200;
/** How long a thread may take until it has noted that it began, in ms. */
const BEGIN_MS = 1_000;

/** Where each CPU millisecond of a login by password and app goes, as Markdown. */
export async function profileLogins(options: Options, report: Report): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "second-step-profiles-"));
  const module = pathToFileURL(join(import.meta.dirname, "profiled.mjs")).href;
  const preload = { module, env: { BENCH_PROFILES: folder } };
  const stack = await startStack(options, { report, preload });
  const profiled = stack.processes().filter(({ part }) => PROFILED.includes(part));
  const used = () => profiled.map(({ part, pid }) => ({ part, pid, used: threadsOf(pid) }));
  const toggle = () => {
    for (const { pid } of profiled) process.kill(pid, "SIGUSR2");
  };
  try {
    await fill(stack, options, report);
    const { users, hash, seconds } = options;
    const [load] = allLoads([8]);
    if (!load) throw new Error("There are no loads");
    const measuring = await openMeasuring({ stack, users, hash, report });
    await measuring.warmUp(load);
    let before = used();
    let threads: Thread[] = [];
    const result = await measuring.measure(load, seconds, {
      async begin() {
        toggle();
        await sleep(BEGIN_MS);
        before = used();
      },
      async end(done) {
        const after = used();
        toggle();
        await sleep(BEGIN_MS);
        while (readdirSync(folder).some((name) => name.endsWith(".begun"))) await sleep(POLL_MS);
        threads = after.map(({ part, pid, used }, index) => ({
          part,
          usedMs: Object.fromEntries(
            Object.entries(used).map(([name, ms]) => [
              name,
              (ms - (before[index]?.used[name] ?? 0)) / done,
            ]),
          ),
          scripts: readdirSync(folder)
            .filter((name) => name.startsWith(`${pid}-`))
            .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")))
            .map(({ cpuMs, profile }) => ({ cpuMs: cpuMs / done, profile })),
        }));
      },
    });
    measuring.close();
    return describeProfile(result, threads);
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
