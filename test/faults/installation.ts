import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@temporalio/client";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { ensurePostgres, makePostgres, runPostgres } from "../../scripts/postgres.ts";
import { type Launch, waitUntilReady } from "../../scripts/processes.ts";
import { startRedis } from "../../scripts/redis.ts";
import { ensureRedis } from "../../scripts/redis-program.ts";
import { startTemporal } from "../../scripts/temporal.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { connectTemporal } from "../../temporal/connection.ts";
import { KEY_SETTINGS } from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { environmentOf } from "../support/stack.ts";
import { bundleFile } from "../support/workflow-bundle.ts";
import { type Part, partOf } from "./part.ts";

const START_MS = limit(60_000);
const NAMESPACE = "default";
const quiet = () => {};

/**
 * The service and all that it needs: PostgreSQL, a Redis that syncs every write, a Temporal server
 * that stores to a file, two workers, two gateways. Each part is a process of its own, which a test
 * can kill and start again on the same data. `settings` are added to the parts' environment.
 */
export async function install(settings: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-faults-"));
  // PostgreSQL runs as its own user, which must be able to enter this folder.
  chmodSync(folder, 0o755);
  const logFile = (name: string) => join(folder, "logs", `${name}.log`);
  const password = randomBytes(24).toString("base64url");

  const redisProgram = await ensureRedis(quiet);
  const redisPort = await freePort();
  const redisPart = partOf("redis", (launch) =>
    startRedis(launch, {
      ...{ program: redisProgram, folder: join(folder, "redis"), port: redisPort },
      ...{ logFile: logFile("redis"), password, fsync: "always" },
    }),
  );
  const postgres = {
    ...{ programs: await ensurePostgres(quiet), folder: join(folder, "postgres") },
    ...{ port: await freePort(), logFile: logFile("postgres") },
  };
  const postgresPassword = await makePostgres(postgres);
  const postgresPart = partOf("postgresql", (launch) =>
    runPostgres(launch, { ...postgres, password: postgresPassword }),
  );
  const temporalProgram = await ensureTemporalCli(quiet);
  const temporalPort = await freePort();
  const temporalPart = partOf("temporal", (launch) =>
    startTemporal(launch, {
      ...{ program: temporalProgram, namespace: NAMESPACE, port: temporalPort },
      ...{ file: join(folder, "temporal.db"), logFile: logFile("temporal") },
    }),
  );
  await Promise.all([redisPart.start(), postgresPart.start(), temporalPart.start()]);

  const databaseUrl = `postgres://postgres:${postgresPassword}@127.0.0.1:${postgres.port}/postgres`;
  const redisUrl = `redis://:${password}@127.0.0.1:${redisPort}`;
  const address = `127.0.0.1:${temporalPort}`;
  await migrateDatabase(databaseUrl);
  const connection = connectTemporal({ address });

  const env = {
    ...process.env,
    ...KEY_SETTINGS,
    ...environmentOf(databaseUrl, redisUrl, { address, namespace: NAMESPACE }),
    // Each client has its own address. High message budgets, because budgets are not tested here.
    ...{ TRUSTED_PROXIES: "1", SMS_PER_COUNTRY_AND_HOUR: "100000", SMS_PER_HOUR: "100000" },
    LOG_LEVEL: "info",
    ...settings,
  };
  const processOf = (name: string, file: string, more: Record<string, string> = {}) => ({
    ...{ name, program: process.execPath, args: ["--import", "tsx", file], cwd: checkoutFolder },
    ...{ env: { ...env, ...more }, logFile: logFile(name) },
  });
  // Prebuilt, as in the image, so that a killed worker is back soon.
  const WORKFLOW_BUNDLE = await bundleFile();
  const workers = ["worker-1", "worker-2"].map((name) => {
    const start = async (launch: Launch, log: () => string) => {
      const child = launch(processOf(name, "worker.ts", { WORKFLOW_BUNDLE }));
      const ready = async () => {
        if (!log().includes('"worker ready"')) throw new Error("not ready");
      };
      await waitUntilReady(child, ready, START_MS);
    };
    return partOf(name, start);
  });
  const gateways = await Promise.all(
    ["gateway-1", "gateway-2"].map(async (name) => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const start = async (launch: Launch) => {
        const child = launch(processOf(name, "api/server.ts", { PORT: String(port) }));
        const ready = async () => void (await fetch(`${url}/healthz`));
        await waitUntilReady(child, ready, START_MS);
      };
      return { url, part: partOf(name, start) };
    }),
  );
  const parts: Part[] = [
    ...[redisPart, postgresPart, temporalPart],
    ...[...workers, ...gateways.map(({ part }) => part)],
  ];
  await Promise.all(parts.slice(3).map((part) => part.start()));
  const database = connectDatabase(databaseUrl, { max: 4 });
  const redis = await connectRedis(redisUrl, () => {});

  return {
    parts,
    part: (name: string) => {
      const found = parts.find((part) => part.name === name);
      if (!found) throw new Error(`There is no ${name}`);
      return found;
    },
    urls: gateways.map(({ url }) => url),
    /** What a backup copies. */
    data: {
      databaseUrl,
      programs: postgres.programs,
      folder,
      redisFolder: join(folder, "redis"),
      temporalFile: join(folder, "temporal.db"),
    },
    db: database.db,
    redis,
    temporal: new Client({ connection, namespace: NAMESPACE }),
    /** The errors that the service's own processes have logged. */
    errors: () =>
      readdirSync(join(folder, "logs"))
        .flatMap((file) => readFileSync(join(folder, "logs", file), "utf8").split("\n"))
        .filter((line) => line.includes('"level":50')),
    /** Kills all parts and deletes their data. */
    async stop() {
      await Promise.allSettled([database.close(), redis.close(), connection.close()]);
      for (const part of parts) await part.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Installation = Awaited<ReturnType<typeof install>>;
