import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { Client } from "@temporalio/client";
import { pino } from "pino";
import { loadConfig, orExit } from "../config.ts";
import { drawQrCode } from "../core/devices/qr-code.ts";
import { watchGeneration } from "../store/generations/generations.ts";
import { connectDatabase, REQUEST_MS } from "../store/postgres/connect.ts";
import { endOnMismatch } from "../store/postgres/migrations/check-schema.ts";
import { traceRedisCommands } from "../store/redis/commands.ts";
import { connectRedis } from "../store/redis/connect.ts";
import { hasOutbox } from "../store/redis/messages/outbox.ts";
import { AWAY } from "../telemetry/away.ts";
import { note, requestFields } from "../telemetry/request-context.ts";
import { startTraces } from "../telemetry/start-traces.ts";
import {
  connectTemporal,
  noteTemporalCertificates,
  shownServer,
  temporalServer,
} from "../temporal/connection.ts";
import { createFlows } from "../temporal/flows.ts";
import { PAGE_PATIENCE_MS } from "../temporal/page-time.ts";
import { SECOND_MS } from "../units.ts";
import { createApp } from "./app.ts";
import { watchDependencies } from "./http/dependencies.ts";
import { createMetrics } from "./http/metrics.ts";
import { serveMetrics } from "./http/metrics-server.ts";

/** How long a client may take to send its request's headers, and the whole request; in ms. */
const PATIENCE = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
};
/**
 * How long open requests may take when the gateway stops, in ms: longer than a page waits for
 * Temporal.
 */
const SHUTDOWN_GRACE_MS = PAGE_PATIENCE_MS + 2_000;

const config = orExit(loadConfig);
const log = pino({ level: config.LOG_LEVEL, name: "gateway", mixin: requestFields });
const database = connectDatabase(config.DATABASE_URL, {
  max: config.DATABASE_POOL_SIZE,
  patienceMs: REQUEST_MS,
  named: config.DATABASE_NAMED_STATEMENTS,
});
const exporting = connectDatabase(config.DATABASE_URL, {
  max: 2,
  named: config.DATABASE_NAMED_STATEMENTS,
});
await endOnMismatch(database.db, log);
const redis = await connectRedis(config.REDIS_URL, (error) => log.warn({ err: error }, AWAY.redis));
const temporal = temporalServer(config);
noteTemporalCertificates(config);
const connection = connectTemporal(temporal);
const tracing = await startTraces({
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  service: "second-step-gateway",
  log,
});
if (tracing) traceRedisCommands();
const namespace = config.TEMPORAL_NAMESPACE;
const client = new Client({ connection, namespace, interceptors: tracing?.client });
const flows = createFlows(client);
// A wrong certificate or address is reported at the start, before a user meets it.
connection.workflowService
  .getSystemInfo({})
  .catch((err) => log.warn({ err, ...shownServer(temporal) }, AWAY.temporal));
const clock = { now: () => Date.now() };

const { db, ping, pool } = database;
// Before the first request, so that a Redis from a backup lets nobody in.
const stopWatch = await watchGeneration({ db, redis, log });
const metrics = createMetrics({
  ...{ db, pool, redis, config, clock },
  dependencies: watchDependencies({ ping, redis, flows }),
});
const traced = tracing?.requests({
  trustedProxies: config.TRUSTED_PROXIES,
  onTrace: (traceId) => note({ traceId }),
});
let draining = false;
const app = createApp({
  db,
  longReads: exporting.db,
  ping,
  redis,
  flows,
  config,
  clock,
  log,
  measured: metrics.observe,
  traced,
  isDraining: () => draining,
});
// A process's first QR code takes 25 ms of its event loop, later ones 4. Draw one before users
// wait.
await drawQrCode(config.SERVICE_NAME);
const { METRICS_ADDRESS } = config;
const measures = METRICS_ADDRESS && (await serveMetrics(METRICS_ADDRESS, metrics.registry));
const server = serve(
  { fetch: app.fetch, hostname: config.HOST, port: config.PORT, serverOptions: PATIENCE },
  (address) => log.info({ port: address.port }, "gateway ready"),
);
// The embedded PostgreSQL of `npm start` knows no such timeout.
if (config.NODE_ENV === "production") database.checkTimeout((text) => log.warn(text));
if (hasOutbox(config))
  log.warn(
    "messages go to the development outbox and reach no phone; set SMS_GATEWAY for real ones",
  );

/** Lets balancers notice first, then finishes open requests, then closes all connections. */
async function stop() {
  if (draining) return;
  draining = true;
  log.info({ seconds: config.DRAIN_SECONDS }, "gateway drains");
  await sleep(config.DRAIN_SECONDS * SECOND_MS);
  const closed = new Promise((resolve) => server.close(resolve));
  // From now on Node enforces no timeouts: a client that never finishes would keep the process
  // alive.
  setTimeout(
    () => "closeAllConnections" in server && server.closeAllConnections(),
    SHUTDOWN_GRACE_MS,
  ).unref();
  await closed;
  await stopWatch();
  if (measures) measures.close().closeAllConnections();
  const closing = [database.close(), exporting.close(), redis.close(), connection.close()];
  await Promise.allSettled([...closing, tracing?.stop()]);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
