// An hour of logins and enrollments. SOAK_MINUTES changes how long; SOAK_RATE is the logins per
// second (enrollments: a tenth of that).
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Installation, install } from "../faults/installation.ts";
import { connections, type Held, heldBy, keysThatStay, runningFlows, slope } from "./measure.ts";
import { population } from "./people.ts";

const { SOAK_MINUTES = "60", SOAK_RATE = "10" } = process.env;
const rate = Number(SOAK_RATE);
const durationMs = Number(SOAK_MINUTES) * 60_000;
const SAMPLES = 24;
/** So many that each user logs in less often than once per TOTP step. */
const users = rate * 40;
const HOUR_OF_LOGINS = 36_000;
/** MiB that a process may grow in an hour of logins: noise, far below a kilobyte for each login. */
const GROWTH = 36;
/** ms. Pools close idle connections after ten seconds, clients after five. */
const QUIET_MS = 20_000;
/** Redis keys that stay by design; see store/redis/keys.ts. */
const STAY = ["failures", "otp-steps", "revocation", "account-revocation", "mfa"];

const folder = mkdtempSync(join(tmpdir(), "second-step-soak-"));
let installation: Installation;
beforeAll(async () => {
  installation = await install({
    SOAK_FOLDER: folder,
    NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "memory.mjs")).href}`,
  });
});
afterAll(async () => {
  await installation.stop();
  rmSync(folder, { recursive: true });
});

test("memory stays flat, and no flow, key or connection is left behind", async () => {
  const people = await population(installation);
  // This also warms everything up.
  const logIns: (() => Promise<void>)[] = [];
  while (logIns.length < users)
    logIns.push(...(await Promise.all(Array.from({ length: rate }, () => people.userWithApp()))));
  const rest = async () => {
    await sleep(QUIET_MS);
    return { held: await heldBy(installation, folder), ...(await connections(installation)) };
  };
  const before = await rest();

  const samples: { logins: number; held: Record<string, Held> }[] = [];
  const counts = { logins: 0, enrollments: 0 };
  const begun = performance.now();
  for (let sample = 0; sample < SAMPLES; sample++) {
    const end = begun + (durationMs / SAMPLES) * (sample + 1);
    const working = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const run = (work: Promise<void>) => {
      const settled = work.catch((error) => void failures.push(error));
      working.add(settled);
      settled.finally(() => working.delete(settled));
    };
    while (performance.now() < end && failures.length === 0) {
      run((logIns[counts.logins++ % users] as () => Promise<void>)());
      if (counts.logins % 10 === 0) {
        counts.enrollments++;
        run(people.enrollPhone());
      }
      // After a pause the load catches up, but never with more than two seconds' worth open at
      // once.
      await sleep(Math.max(0, begun + (counts.logins * 1000) / rate - performance.now()));
      if (working.size > 2 * rate) await Promise.race(working);
    }
    await Promise.all(working);
    expect(failures).toEqual([]);
    samples.push({ logins: counts.logins, held: await heldBy(installation, folder) });
  }
  const after = await rest();

  const warm = samples.slice(SAMPLES / 3);
  const growth = Object.keys(after.held).map((name) => {
    const of = (what: "heap" | "resident") =>
      HOUR_OF_LOGINS *
      slope(warm.map(({ logins, held }) => ({ x: logins, y: held[name]?.[what] ?? Number.NaN })));
    const [first, last] = [before.held[name] as Held, after.held[name] as Held];
    const heaps = samples.map(({ held }) => held[name]?.heap.toFixed(1)).join(" ");
    return { name, heap: of("heap"), resident: of("resident"), first, last, heaps };
  });
  console.table(
    growth.map(({ name, heap, resident, first, last }) => ({
      name,
      "heap MiB": `${first.heap.toFixed(1)} -> ${last.heap.toFixed(1)}`,
      "resident MiB": `${first.resident.toFixed(0)} -> ${last.resident.toFixed(0)}`,
      "heap MiB/36000": heap.toFixed(1),
      "resident MiB/36000": resident.toFixed(1),
      files: `${first.files} -> ${last.files}`,
    })),
  );
  for (const { name, heaps } of growth) console.log(`${name}: MiB of heap ${heaps}`);
  console.log(`${people.unavailable.length} answers of 503`, people.unavailable.slice(0, 5));
  const kinds = await keysThatStay(installation);
  console.log(counts, { before: { ...before, held: 0 }, after: { ...after, held: 0 } }, kinds);

  for (const { name, heap, first, last } of growth) {
    expect(heap, `${name}: MiB of heap in an hour of logins`).toBeLessThan(GROWTH);
    expect(last.files, `${name}: open files`).toBeLessThanOrEqual(first.files + 5);
  }
  expect(after.postgresql).toBeLessThanOrEqual(before.postgresql + 2);
  expect(after.redis).toBeLessThanOrEqual(before.redis);
  expect(await runningFlows(installation)).toBe(0);
  expect(Object.keys(kinds).filter((kind) => !STAY.includes(kind))).toEqual([]);
  // At most one key of each kind for each user.
  for (const count of Object.values(kinds)) expect(count).toBeLessThanOrEqual(people.made());
});
