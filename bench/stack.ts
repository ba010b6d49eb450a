import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../scripts/ports.ts";
import { ensurePostgres, startPostgres } from "../scripts/postgres.ts";
import { type Child, type Launch, launch, stopAll, waitUntilReady } from "../scripts/processes.ts";
import type { Report } from "../scripts/progress.ts";
import { startRedis } from "../scripts/redis.ts";
import { ensureRedis } from "../scripts/redis-program.ts";
import { startTemporal } from "../scripts/temporal.ts";
import { ensureTemporalCli } from "../scripts/temporal-cli.ts";
import { connectTemporal, registerSearchAttributes } from "../scripts/temporal-namespace.ts";
import { migrateDatabase } from "../store/postgres/connect.ts";

const START_MS = 60_000;
const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

/** The real parts, each a process of its own on this machine, with data of their own. */
export async function startStack(report: Report) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-bench-"));
  // PostgreSQL runs as a user of its own and has to reach its folder in this one.
  chmodSync(folder, 0o755);
  const children = new Map<string, Child>();
  const launchNamed: Launch = (program) => {
    const child = launch(program);
    children.set(program.name, child);
    return child;
  };
  const logFile = (name: string) => join(folder, "logs", `${name}.log`);

  report("Starting Redis, PostgreSQL and Temporal");
  const redisUrl = await startRedis(launchNamed, {
    program: await ensureRedis(report),
    folder: join(folder, "redis"),
    port: await freePort(),
    logFile: logFile("redis"),
  });
  const databaseUrl = await startPostgres(launchNamed, {
    programs: await ensurePostgres(report),
    folder: join(folder, "postgres"),
    port: await freePort(),
    logFile: logFile("postgres"),
  });
  // In memory: with a file, SQLite's one writer is what is measured (see docs/performance.md).
  const temporalAddress = await startTemporal(launchNamed, {
    program: await ensureTemporalCli(report),
    namespace: "default",
    port: await freePort(),
    logFile: logFile("temporal"),
  });
  const connection = await connectTemporal(temporalAddress);
  await registerSearchAttributes(connection, "default");
  await connection.close();
  await migrateDatabase(databaseUrl);

  const port = await freePort();
  const env = {
    NODE_ENV: "development",
    LOG_LEVEL: "warn",
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    SEALING_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    CODE_KEY: randomBytes(32).toString("base64"),
  };
  const url = `http://127.0.0.1:${port}`;
  report("Starting the worker and the gateway");
  for (const [name, file] of [
    ["worker", "worker.ts"],
    ["gateway", "api/server.ts"],
  ] as const)
    launchNamed({
      name,
      program: process.execPath,
      args: ["--import", "tsx", file],
      cwd: checkout,
      env: { ...process.env, ...env },
      logFile: logFile(name),
    });
  const gateway = children.get("gateway") as Child;
  const answers = async () => {
    if (!(await fetch(`${url}/readyz`)).ok) throw new Error("it is not ready");
  };
  await waitUntilReady(gateway, answers, START_MS);

  return {
    env,
    url,
    /** The processes by name; each may have children. */
    processes: () => [...children].map(([name, { pid }]) => ({ name, pid })),
    async stop() {
      await stopAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type BenchStack = Awaited<ReturnType<typeof startStack>>;
