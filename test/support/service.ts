import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/ports.ts";
import { type Child, launch, waitUntilReady } from "../../scripts/processes.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import type { KeptMessage } from "../../store/redis/messages/outbox.ts";
import { createClient, patient } from "./client.ts";
import { copies } from "./copies.ts";
import { type DatabaseKind, freshDatabase } from "./databases.ts";
import { limit } from "./limits.ts";
import { newPerson } from "./people.ts";
import { phones } from "./phones.ts";
import { ownRedisDatabase } from "./redis-database.ts";
import { environmentOf } from "./stack.ts";
import { ownTemporal } from "./temporal.ts";
import { bundleFile } from "./workflow-bundle.ts";

const START_MS = limit(60_000);
const CHECKOUT = join(import.meta.dirname, "../..");

/**
 * The service as it is deployed: two gateways and a worker (two workers on a Redis Cluster). Each
 * is a process with a real port and the machine's clock. Requests go to the gateways in turn.
 */
export async function startService(
  kind: DatabaseKind,
  { REDIS_URL, ...settings }: Record<string, string> = {},
  workerCount = copies().length,
) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-service-"));
  const [own, temporal, redisDatabase] = await Promise.all([
    freshDatabase(kind),
    ownTemporal("real"),
    REDIS_URL ? { url: REDIS_URL, giveBack: async () => {} } : ownRedisDatabase(),
  ]);
  await migrateDatabase(own.url);
  const database = connectDatabase(own.url, {
    max: 1,
    named: settings.DATABASE_NAMED_STATEMENTS !== "false",
  });
  const redis = await connectRedis(redisDatabase.url, () => {});
  const env = {
    ...process.env,
    ...environmentOf(own.url, redisDatabase.url, temporal),
    PORT: "0",
    LOG_LEVEL: "trace",
    ...settings,
  };
  const workers = Array.from({ length: workerCount }, (_, n) => `worker-${n + 1}`);
  const gateways = ["gateway-1", "gateway-2"];
  const exporters = await Promise.all(
    [...workers, ...gateways].map(async () => `127.0.0.1:${await freePort()}`),
  );
  const logFile = (name: string) => join(folder, `${name}.log`);
  const logOf = (name: string) => readFileSync(logFile(name), "utf8").split("\n").filter(Boolean);

  const start = async (name: string, file: string, ready: RegExp, more = {}) => {
    const args = ["--import", "tsx", file];
    const own = { ...env, ...more };
    const process_ = { name, program: process.execPath, args, cwd: CHECKOUT, env: own };
    const child = launch({ ...process_, logFile: logFile(name) });
    const said = async () => {
      const line = logOf(name).find((text) => ready.test(text));
      if (!line) throw new Error("it does not say that it is ready");
      return line;
    };
    await waitUntilReady(child, said, START_MS);
    return { child, line: await said() };
  };

  const WORKFLOW_BUNDLE = await bundleFile();
  const started = await Promise.all([
    ...workers.map((name, n) =>
      start(name, "worker.ts", /"worker ready"/, {
        WORKFLOW_BUNDLE,
        WORKER_METRICS_ADDRESS: exporters[n],
      }),
    ),
    ...gateways.map((name, n) =>
      start(name, "api/server.ts", /"gateway ready"/, {
        METRICS_ADDRESS: exporters[workerCount + n],
      }),
    ),
  ]);
  const children: Child[] = started.map(({ child }) => child);
  const urls = started
    .slice(workerCount)
    .map(({ line }) => `http://127.0.0.1:${JSON.parse(line).port}`);
  const metricsAddresses = exporters.map((address) => `http://${address}`);
  let turn = 0;
  const send = (path: string, init: RequestInit) =>
    fetch(`${urls[turn++ % urls.length]}${path}`, init);
  const outbox = async (to: string) =>
    (await send(`/dev/outbox?to=${encodeURIComponent(to)}`, {})).json() as Promise<KeptMessage[]>;

  return {
    send,
    api: createClient(patient(send)),
    ...phones(outbox),
    /** The gateways' URLs. */
    urls,
    /** The metrics addresses: workers first, then gateways. */
    metricsAddresses,
    /** What Prometheus reads at these addresses. */
    metrics: async () => {
      const answers = metricsAddresses.map((address) => fetch(`${address}/metrics`));
      return Promise.all((await Promise.all(answers)).map((answer) => answer.text()));
    },
    temporal,
    db: database.db,
    databaseUrl: own.url,
    createUser: (options: { role?: Role } = {}) =>
      newPerson(database.db, { ...options, at: new Date() }),
    /** Refills the message budgets, as if the 30 seconds between two messages had passed. */
    async forgetSends() {
      const keys = await redis.keys("*-sends*");
      if (keys.length > 0) await redis.del(keys);
    },
    /** The log lines of each process. */
    logs: () => [...workers, ...gateways].flatMap(logOf),
    /** Stops everything. Resolves with how each process ended. */
    async stop(): Promise<string[]> {
      await Promise.all(children.map((child) => child.stop()));
      const ends = await Promise.all(children.map(({ exited }) => exited));
      await Promise.all([database.close(), redis.close()]);
      await Promise.all([temporal.stop(), own.drop(), redisDatabase.giveBack()]);
      rmSync(folder, { recursive: true });
      return ends;
    },
  };
}

export type Service = Awaited<ReturnType<typeof startService>>;
