// How soon gateway and worker are ready, and how much memory they then use: the compiled JavaScript
// of `npm run build` beside TypeScript through tsx. Run: npm run build && node --import tsx bench/built.ts
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkoutFolder } from "../scripts/folders.ts";
import { freePort } from "../scripts/ports.ts";
import { launch, waitUntilReady } from "../scripts/processes.ts";
import { prepareTemporal } from "../scripts/stack.ts";
import { migrateDatabase } from "../store/postgres/migrations/migrate.ts";
import { startServices } from "../test/support/services.ts";
import { environmentOf } from "../test/support/stack.ts";

const ROUNDS = 5;
const START_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "second-step-built-"));
const { services, stop } = await startServices();
const place = { address: services.temporalAddress, namespace: "default" };
await migrateDatabase(services.postgresUrl);
await prepareTemporal(place, place.namespace);
const env = {
  ...process.env,
  ...environmentOf(services.postgresUrl, services.redisUrl, place),
  WORKFLOW_BUNDLE: join(checkoutFolder, "dist/workflow-bundle.js"),
};

/** The proportional set size of a process, in MB. */
function memoryOf(pid: number): number {
  const [, kilobytes] =
    /^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** Starts a process, and stops it once it is ready. */
async function measure(args: string[]): Promise<{ seconds: number; megabytes: number }> {
  const address = `127.0.0.1:${await freePort()}`;
  const begun = performance.now();
  const child = launch({
    ...{ name: "measured", program: process.execPath, args, cwd: checkoutFolder },
    env: { ...env, PORT: address.split(":")[1], WORKER_PROBES_ADDRESS: address },
    logFile: join(folder, "log"),
  });
  await waitUntilReady(child, async () => void (await fetch(`http://${address}/readyz`)), START_MS);
  const seconds = (performance.now() - begun) / 1000;
  const megabytes = memoryOf(child.pid);
  await child.stop();
  return { seconds, megabytes };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] as number;

for (const [name, source, built] of [
  ["gateway", "api/server.ts", "dist/api/server.js"],
  ["worker", "worker.ts", "dist/worker.js"],
] as const) {
  const rows = { tsx: ["--import", "tsx", source], dist: [built] };
  const found: Record<string, { seconds: number; megabytes: number }[]> = { tsx: [], dist: [] };
  // In turn, so that a busy machine slows both.
  for (let round = 0; round < ROUNDS; round++)
    for (const [kind, args] of Object.entries(rows)) found[kind]?.push(await measure(args));
  for (const [kind, all] of Object.entries(found))
    console.log(
      `${name} ${kind}: ready in ${median(all.map((one) => one.seconds)).toFixed(2)} s, ` +
        `${median(all.map((one) => one.megabytes)).toFixed(0)} MB`,
    );
}
await stop();
rmSync(folder, { recursive: true });
