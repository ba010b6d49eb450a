import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { pino } from "pino";
import { createActivities } from "../../activities/activities.ts";
import type { ActivityDeps } from "../../activities/deps.ts";
import { createApp } from "../../api/app.ts";
import { watchDependencies } from "../../api/http/dependencies.ts";
import { createMetrics } from "../../api/http/metrics.ts";
import { loadConfig } from "../../config.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { mailGateway } from "../../providers/mail/configured.ts";
import { configuredSms } from "../../providers/sms/configured.ts";
import { passReport } from "../../providers/sms/reports.ts";
import type { DeliveryReport } from "../../providers/sms/sms.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { connectRedis, type Redis } from "../../store/redis/connect.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { requestFields } from "../../telemetry/request-context.ts";
import { activityFields } from "../../telemetry/worker-log.ts";
import { createCalls } from "../../temporal/calls.ts";
import { connectTemporal } from "../../temporal/connection.ts";
import { createFlows } from "../../temporal/flows.ts";
import { startOverdueEnrollments } from "../../temporal/overdue-enrollments.ts";
import { startRelay } from "../../temporal/relay.ts";
import { starting } from "../../temporal/start.ts";
import { type ApiClient, createClient, patient, type Send } from "./client.ts";
import { contractOf, type OpenApi } from "./contract.ts";
import { copies, inTurn } from "./copies.ts";
import { type DatabaseKind, freshDatabase, runtimeRole } from "./databases.ts";
import { newPerson } from "./people.ts";
import { fallible, phones } from "./phones.ts";
import { ownRedisDatabase } from "./redis-database.ts";
import { ownTemporal, startWorker, type Time } from "./temporal.ts";

/** The time at which every stack's clock starts. Only `advance` moves the clock. */
export const BEGINNING = Date.UTC(2026, 0, 1);

/**
 * The whole service in this process: the gateway (`app`, `api`), the worker, and a clock that only
 * `advance` moves. Stores and Temporal are real and not shared with other tests. Start one for each
 * test file, because it takes some seconds, and call `stop()` in an `afterAll`.
 */
export async function startStack({
  database: kind = "postgres",
  twoRoles = false,
  time = "real",
  environment = {},
  temporalSettings,
}: {
  database?: DatabaseKind;
  /** The service gets a database role that does not own the tables. */
  twoRoles?: boolean;
  time?: Time;
  /** Settings in addition to those of the stores. */
  environment?: Record<string, string>;
  /** Dynamic configuration. With it, the stack gets its own Temporal dev server. */
  temporalSettings?: Record<string, unknown>;
} = {}) {
  const [own, temporal, redisDatabase] = await Promise.all([
    freshDatabase(kind),
    ownTemporal(time, temporalSettings),
    ownRedisDatabase(),
  ]);
  await migrateDatabase(own.url);
  const databaseUrl = twoRoles ? await runtimeRole(own.url) : own.url;
  const config = loadConfig({
    ...environmentOf(databaseUrl, redisDatabase.url, temporal),
    ...environment,
  });
  const database = connectDatabase(config.DATABASE_URL);
  const clients = await Promise.all(copies().map(() => connectRedis(config.REDIS_URL, () => {})));
  const [redis] = clients as [Redis];
  const { logged, log } = memoryLog();
  let now = BEGINNING;
  const clock = { now: () => now };

  const mail = mailGateway({ config, redis, clock });
  const { db, ping, pool } = database;
  const connection = connectTemporal({ address: temporal.address });
  const flows = createFlows(new Client({ connection, namespace: temporal.namespace }));
  const onReport = (report: DeliveryReport) =>
    passReport({ redis, report: flows.reportDelivery }, report);
  const provider = configuredSms({ config, redis, clock, log, onReport });
  const sms = fallible(provider);
  const { registry, observe: measured } = createMetrics({
    ...{ db, pool, redis, config, clock },
    dependencies: watchDependencies({ ping, redis, flows }),
  });
  const deps = { db, longReads: db, ping, redis, flows, config, clock, log, measured };
  const app = inTurn(clients.map((redis) => createApp({ ...deps, redis })));
  const document = (await (await app.request("/openapi.json")).json()) as OpenApi;
  const workerDeps = { db, redis, sms: sms.gateway, mail, config, clock, log };
  const start = starting(createCalls(temporal.client));
  // Two workers in one process need one connection each.
  const more = await Promise.all(
    copies()
      .slice(1)
      .map(() => NativeConnection.connect({ address: temporal.address })),
  );
  const places = [temporal, ...more.map((connection) => ({ ...temporal, connection }))];
  const startOwnWorker = async (changed: Partial<ActivityDeps> = {}) => {
    const activities = createActivities({ ...workerDeps, ...changed });
    const stops = await Promise.all(places.map((place) => startWorker(place, activities)));
    const begin = { db, config, start, log };
    const relays = copies().flatMap(() => [startRelay(begin), startOverdueEnrollments(begin)]);
    return () => Promise.all([...relays, ...stops].map((stop) => stop()));
  };
  let stopWorker = await startOwnWorker();

  return {
    app,
    /** The parts of `app`, from which a test makes another app with some parts replaced. */
    deps,
    /** Calls `app`. Throws for a 500 and for an answer that is not in the OpenAPI document. */
    api: checkedClient({ request: patient(app.request) }, document, logged),
    document,
    /** The gateway's metrics, as Prometheus reads them. */
    metrics: () => registry.metrics(),
    registry,
    temporal,
    clock,
    /** Moves the service's clock, and on a time-skipping server the workflows' timers, by `ms`. */
    async advance(ms: number) {
      now += ms;
      await temporal.skip(ms);
    },
    ...phones((to) => keptMessages(redis, to)),
    /** Makes every later SMS fail in this mode. Without a mode, sending works again. */
    failSms: sms.fail,
    /** How many messages hang now. */
    hangingSms: sms.hanging,
    createUser: (options: { accountId?: string; role?: Role } = {}) =>
      newPerson(db, { ...options, at: new Date(now) }),
    /** Every line that the gateway and the worker have logged, as JSON. */
    logged,
    stopWorker: () => stopWorker(),
    /** Starts the worker again, with some of its parts replaced. */
    async restartWorker(changed: Partial<ActivityDeps> = {}) {
      stopWorker = await startOwnWorker(changed);
    },
    async stop() {
      sms.fail();
      await stopWorker();
      await provider.close();
      mail?.close();
      await Promise.all([database, ...clients, connection, ...more].map((open) => open.close()));
      await Promise.all([temporal.stop(), own.drop(), redisDatabase.giveBack()]);
    },
  };
}

export type Stack = Awaited<ReturnType<typeof startStack>>;

/** The environment of a service over these stores, with its own keys. */
export function environmentOf(
  databaseUrl: string,
  redisUrl: string,
  { address, namespace }: { address: string; namespace: string },
) {
  return {
    NODE_ENV: "test",
    DRAIN_SECONDS: "0",
    SMS_GATEWAY: "outbox",
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    SEALING_KEYS: `test:${randomBytes(32).toString("base64")}`,
    CODE_KEY: randomBytes(32).toString("base64"),
    // Test receivers listen on this machine.
    WEBHOOKS_INSIDE: "true",
  };
}

/** A client of a second gateway of the stack, with these parts replaced. */
export function gatewayOver(
  { deps, document, logged }: Stack,
  parts: Partial<CoreDeps>,
): ApiClient {
  const { request } = createApp({ ...deps, ...parts });
  return checkedClient({ request: patient(request) }, document, logged);
}

/** A client that throws for a 500 and for an answer that is not in the OpenAPI document. */
export function checkedClient(
  app: { request: Send },
  document: OpenApi,
  logged: () => string[],
): ApiClient {
  const check = contractOf(document);
  return createClient(
    (path, init) => app.request(path, init),
    (call, answer) => {
      const trouble = logged().filter((line) => JSON.parse(line).level >= LEVEL_ERROR);
      if (answer.status === 500) throw new Error(`${call} answered 500: ${trouble.at(-1)}`);
      check(call, answer);
    },
  );
}

/** Pino's level number for errors. */
const LEVEL_ERROR = 50;

function memoryLog() {
  // Gateway and worker share one logger.
  const mixin = () => ({ ...requestFields(), ...activityFields() });
  const lines: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      lines.push(String(line));
      done();
    },
  });
  return { logged: () => lines, log: pino({ level: "trace", mixin }, stream) };
}
