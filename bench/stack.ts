import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkoutFolder } from "../scripts/folders.ts";
import { isPolling } from "../scripts/pollers.ts";
import { freePort } from "../scripts/ports.ts";
import { ensurePostgres, startPostgres } from "../scripts/postgres.ts";
import { type Child, type Launch, launch, stopAll, waitUntilReady } from "../scripts/processes.ts";
import type { Report } from "../scripts/progress.ts";
import { startRedis } from "../scripts/redis.ts";
import { ensureRedis } from "../scripts/redis-program.ts";
import { startTemporal } from "../scripts/temporal.ts";
import { ensureTemporalCli } from "../scripts/temporal-cli.ts";
import { connectTemporal, registerSearchAttributes } from "../scripts/temporal-namespace.ts";
import { migrateDatabase } from "../store/postgres/migrations/migrate.ts";
import { KEY_SETTINGS } from "../test/support/keys.ts";
import type { Options } from "./options.ts";
import { ensureTemporalServer, startTemporalOnPostgres } from "./temporal-postgres.ts";
import { comesFirst } from "./weight.ts";

const START_MS = 60_000;
const NAMESPACE = "default";
const PLENTY = "1000000000";

type Wanted = Pick<Options, "temporal" | "gateways" | "workers">;
/** `preload`: a module that the gateways and workers load first. */
type Extras = { report: Report; preload?: { module: string; env: Record<string, string> } };

/** Starts the real parts on this machine, each as a process with its own data. */
export async function startStack(
  { temporal, gateways, workers }: Wanted,
  { report, preload }: Extras,
) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-bench-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", removeFolder);
  // PostgreSQL runs as its own user, and must reach its folder in this one.
  chmodSync(folder, 0o755);
  const children: { part: string; child: Child }[] = [];
  const launchAs =
    (part: string): Launch =>
    (program) => {
      const child = launch(program);
      children.push({ part, child });
      return child;
    };
  const logFile = (name: string) => join(folder, "logs", `${name}.log`);
  const postgres = async (part: string) =>
    startPostgres(launchAs(part), {
      programs: await ensurePostgres(report),
      folder: join(folder, part),
      port: await freePort(),
      logFile: logFile(part),
    });

  report("Starting Redis, PostgreSQL and Temporal");
  const redisUrl = await startRedis(launchAs("Redis"), {
    program: await ensureRedis(report),
    folder: join(folder, "redis"),
    port: await freePort(),
    logFile: logFile("redis"),
  });
  const databaseUrl = await postgres("PostgreSQL");
  const temporalFile = join(folder, "temporal.db");
  const embeddedTemporal = async () =>
    startTemporal(launchAs("Temporal"), {
      program: await ensureTemporalCli(report),
      namespace: NAMESPACE,
      port: await freePort(),
      logFile: logFile("temporal"),
      ...(temporal === "sqlite" && { file: temporalFile }),
    });
  const temporalOnPostgres = async () =>
    startTemporalOnPostgres(launchAs("Temporal"), {
      programs: await ensureTemporalServer(report),
      databaseUrl: await postgres("Temporal's PostgreSQL"),
      folder: join(folder, "temporal"),
      logFile: logFile("temporal"),
      namespace: NAMESPACE,
    });
  const address = await (temporal === "postgres" ? temporalOnPostgres() : embeddedTemporal());
  const connection = await connectTemporal({ address });
  await registerSearchAttributes(connection, NAMESPACE);
  await migrateDatabase(databaseUrl);

  const env = {
    ...KEY_SETTINGS,
    NODE_ENV: "development",
    SMS_GATEWAY: "outbox",
    LOG_LEVEL: "warn",
    DRAIN_SECONDS: "0",
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: address,
    SEALING_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    CODE_KEY: randomBytes(32).toString("base64"),
    // Each user has an IP address, as behind a proxy. Only the user's own limits apply to messages.
    TRUSTED_PROXIES: "1",
    SMS_PER_HOUR: PLENTY,
    SMS_PER_COUNTRY_AND_HOUR: PLENTY,
  };
  const startOwn = (
    part: string,
    file: string,
    own: Record<string, string>,
    modules: string[] = [],
  ) =>
    launchAs(part)({
      name: part,
      program: process.execPath,
      args: [
        ...["tsx", ...(preload ? [preload.module] : []), ...modules].flatMap((module) => [
          "--import",
          module,
        ]),
        file,
      ],
      cwd: checkoutFolder,
      env: { ...process.env, ...env, ...preload?.env, ...own },
      logFile: logFile(`${part}-${children.length}`),
    });

  report("Bundling the workflows");
  const bundle = join(folder, "workflow-bundle.js");
  const bundling = ["--import", "tsx", "scripts/bundle-workflows.ts", bundle];
  execFileSync(process.execPath, bundling, { cwd: checkoutFolder });

  report("Starting workers and gateways");
  let workerReadyS = 0;
  for (let n = 0; n < workers; n++) {
    const begun = performance.now();
    const worker = startOwn("worker", "worker.ts", { WORKFLOW_BUNDLE: bundle });
    const polls = async () => {
      const isIt = ({ identity }: { identity: string }) => identity.startsWith(`${worker.pid}@`);
      if (!(await isPolling(connection, NAMESPACE, { since: new Date(0), isIt })))
        throw new Error("it asks for no work");
    };
    await waitUntilReady(worker, polls, START_MS);
    workerReadyS = (performance.now() - begun) / 1000;
  }
  await connection.close();
  const blockedFolder = join(folder, "blocked");
  mkdirSync(blockedFolder);
  const watch = pathToFileURL(join(import.meta.dirname, "watch-loop.ts")).href;
  const urls: string[] = [];
  let gatewayWeight = 1;
  for (let n = 0; n < gateways; n++) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const own = { PORT: String(port), BENCH_BLOCKED: blockedFolder };
    const gateway = startOwn("gateway", "api/server.ts", own, [watch]);
    const answers = async () => {
      if (!(await fetch(`${url}/health/dependencies`)).ok) throw new Error("it is not ready");
    };
    await waitUntilReady(gateway, answers, START_MS);
    gatewayWeight = comesFirst(gateway.pid);
    urls.push(url);
  }

  return {
    env,
    urls,
    namespace: NAMESPACE,
    /** Where Temporal keeps its data, with `sqlite`. */
    temporalFile,
    blockedFolder,
    /** In seconds: from a worker's start until it asks Temporal for work. */
    workerReadyS,
    /** How many times the share of every other part a gateway gets when processors are short. */
    gatewayWeight,
    /** Each process with its part; a process may have children. */
    processes: () => children.map(({ part, child: { pid } }) => ({ part, pid })),
    async stop() {
      await stopAll();
      process.off("exit", removeFolder);
      removeFolder();
    },
  };
}

export type BenchStack = Awaited<ReturnType<typeof startStack>>;
