import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { pino } from "pino";
import { createActivities } from "../../activities/activities.ts";
import { createApp } from "../../api/app.ts";
import { createMetrics } from "../../api/http/metrics.ts";
import { loadConfig } from "../../config.ts";
import type { Deps } from "../../core/deps.ts";
import { mailGateway } from "../../providers/mail/configured.ts";
import { configuredSms } from "../../providers/sms/configured.ts";
import { passReport } from "../../providers/sms/reports.ts";
import type { DeliveryReport } from "../../providers/sms/sms.ts";
import { connectDatabase, migrateDatabase } from "../../store/postgres/connect.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { connectRedis, type Redis } from "../../store/redis/connect.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { requestFields } from "../../telemetry/request-context.ts";
import { activityFields } from "../../telemetry/worker-log.ts";
import { createCalls } from "../../temporal/calls.ts";
import { connectTemporal } from "../../temporal/connection.ts";
import { createFlows } from "../../temporal/flows.ts";
import { startRelay } from "../../temporal/relay.ts";
import { starting } from "../../temporal/start.ts";
import { type ApiClient, createClient, patient, type Send } from "./client.ts";
import { contractOf, type OpenApi } from "./contract.ts";
import { copies, inTurn } from "./copies.ts";
import { type DatabaseKind, freshDatabase } from "./databases.ts";
import { newPerson } from "./people.ts";
import { fallible, phones } from "./phones.ts";
import { ownRedisDatabase } from "./redis-database.ts";
import { ownTemporal, startWorker, type Time } from "./temporal.ts";

/** Where the clock of every stack begins; it moves by `advance` alone. */
export const BEGINNING = Date.UTC(2026, 0, 1);

/**
 * The whole service in this process over real stores and a real Temporal server that it shares with
 * no other test: the gateway as `app` and `api`, the worker, a clock that stands still. Give it
 * `stop()` in an `afterAll`. One a test file: it takes some seconds to start.
 */
export async function startStack({
  database: kind = "postgres",
  time = "real",
  environment = {},
  temporalSettings,
}: {
  database?: DatabaseKind;
  time?: Time;
  /** Settings beside those of the stores. */
  environment?: Record<string, string>;
  /** Dynamic configuration of a Temporal server that is this stack's alone. */
  temporalSettings?: Record<string, unknown>;
} = {}) {
  const [own, temporal, redisDatabase] = await Promise.all([
    freshDatabase(kind),
    ownTemporal(time, temporalSettings),
    ownRedisDatabase(),
  ]);
  await migrateDatabase(own.url);
  const config = loadConfig({
    ...environmentOf(own.url, redisDatabase.url, temporal),
    ...environment,
  });
  const database = connectDatabase(config.DATABASE_URL);
  const clients = await Promise.all(copies().map(() => connectRedis(config.REDIS_URL, () => {})));
  const [redis] = clients as [Redis];
  const { logged, log } = memoryLog();
  let now = BEGINNING;
  const clock = { now: () => now };

  const mail = mailGateway({ config, redis, clock });
  const { db, ping } = database;
  const connection = connectTemporal(temporal.address);
  const flows = createFlows(new Client({ connection, namespace: temporal.namespace }));
  const onReport = (report: DeliveryReport) =>
    passReport({ redis, report: flows.reportDelivery }, report);
  const provider = configuredSms({ config, redis, clock, log, onReport });
  const sms = fallible(provider);
  const { registry, observe: measured } = createMetrics(db);
  const deps = { db, longReads: db, ping, redis, flows, config, clock, log, measured };
  const app = inTurn(clients.map((redis) => createApp({ ...deps, redis })));
  const document = (await (await app.request("/openapi.json")).json()) as OpenApi;
  const activities = createActivities({ db, redis, sms: sms.gateway, mail, config, clock, log });
  const start = starting(createCalls(temporal.client));
  // Two workers of one process need a connection each.
  const more = await Promise.all(
    copies()
      .slice(1)
      .map(() => NativeConnection.connect({ address: temporal.address })),
  );
  const places = [temporal, ...more.map((connection) => ({ ...temporal, connection }))];
  const startOwnWorker = async () => {
    const stops = await Promise.all(places.map((place) => startWorker(place, activities)));
    const relays = copies().map(() => startRelay({ db, config, start, log }));
    return () => Promise.all([...relays, ...stops].map((stop) => stop()));
  };
  let stopWorker = await startOwnWorker();

  return {
    app,
    /** What `app` was made of, to make another one with a part exchanged. */
    deps,
    /** Calls `app`; throws for a 500 and for an answer that the OpenAPI document does not tell. */
    api: checkedClient({ request: patient(app.request) }, document, logged),
    document,
    /** What Prometheus reads of the gateway. */
    metrics: () => registry.metrics(),
    temporal,
    clock,
    /** Lets time pass: on the service's clock, and for the timers of workflows on a skipping server. */
    async advance(ms: number) {
      now += ms;
      await temporal.skip(ms);
    },
    ...phones((to) => keptMessages(redis, to)),
    /** Makes every SMS fail from now on; without a mode sending works again. */
    failSms: sms.fail,
    /** How many messages hang. */
    hangingSms: sms.hanging,
    createUser: (options: { accountId?: string; role?: Role } = {}) =>
      newPerson(db, { ...options, at: new Date(now) }),
    /** Every line that gateway and worker have logged, as JSON. */
    logged,
    stopWorker: () => stopWorker(),
    async restartWorker() {
      stopWorker = await startOwnWorker();
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

/** The environment of a service over these, with keys of its own. */
export function environmentOf(
  databaseUrl: string,
  redisUrl: string,
  { address, namespace }: { address: string; namespace: string },
) {
  return {
    NODE_ENV: "test",
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    SEALING_KEYS: `test:${randomBytes(32).toString("base64")}`,
    CODE_KEY: randomBytes(32).toString("base64"),
    // The receivers of tests are on this machine.
    WEBHOOKS_INSIDE: "true",
  };
}

/** A client of a gateway of the same service with these parts of it exchanged. */
export function gatewayOver({ deps, document, logged }: Stack, parts: Partial<Deps>): ApiClient {
  const { request } = createApp({ ...deps, ...parts });
  return checkedClient({ request: patient(request) }, document, logged);
}

/** A client of the gateway that throws for a 500 and for an answer that the document does not tell. */
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

/** Pino's number for errors. */
const LEVEL_ERROR = 50;

function memoryLog() {
  // Gateway and worker share it.
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
