import { Client } from "@temporalio/client";
import { NativeConnection, Runtime } from "@temporalio/worker";
import { pino } from "pino";
import { createActivities } from "./activities/activities.ts";
import { limitTemporalCore, loadConfig, orExit } from "./config.ts";
import { mailGateway } from "./providers/mail/configured.ts";
import { configuredSms } from "./providers/sms/configured.ts";
import { passReport } from "./providers/sms/reports.ts";
import type { DeliveryReport } from "./providers/sms/sms.ts";
import { watchGeneration } from "./store/generations/generations.ts";
import { connectDatabase } from "./store/postgres/connect.ts";
import { endOnMismatch } from "./store/postgres/migrations/check-schema.ts";
import { traceRedisCommands } from "./store/redis/commands.ts";
import { connectRedis } from "./store/redis/connect.ts";
import { AWAY } from "./telemetry/away.ts";
import { serveProbes } from "./telemetry/probes.ts";
import { startTraces } from "./telemetry/start-traces.ts";
import { activityFields, sdkLogger } from "./telemetry/worker-log.ts";
import { countUpkeepFromZero, exporterAt, measureWorker } from "./telemetry/worker-metrics.ts";
import { createCalls } from "./temporal/calls.ts";
import { startChaining } from "./temporal/chaining.ts";
import { noteTemporalCertificates, shownServer, temporalServer } from "./temporal/connection.ts";
import { startOverdueEnrollments } from "./temporal/overdue-enrollments.ts";
import { startRelay } from "./temporal/relay.ts";
import { reporting } from "./temporal/signal.ts";
import { starting } from "./temporal/start.ts";
import { createWorkers, workerSettings } from "./worker-settings.ts";
import { workflowCode } from "./workflow-code.ts";
import { DEPLOYMENT, TASK_QUEUE } from "./workflows/ids.ts";

const config = orExit(loadConfig);
const log = pino({ level: config.LOG_LEVEL, name: "worker", mixin: activityFields });
limitTemporalCore();
// On SIGINT and SIGTERM: stops polling, finishes running work, then `run` resolves.
Runtime.install({
  shutdownSignals: ["SIGINT", "SIGTERM"],
  logger: sdkLogger(log),
  telemetryOptions: {
    logging: { filter: { core: "WARN", other: "ERROR" }, forward: {} },
    metrics: config.WORKER_METRICS_ADDRESS ? exporterAt(config.WORKER_METRICS_ADDRESS) : undefined,
  },
});

const database = connectDatabase(config.DATABASE_URL, {
  max: config.DATABASE_POOL_SIZE,
  named: config.DATABASE_NAMED_STATEMENTS,
});
await endOnMismatch(database.db, log);
const clock = { now: () => Date.now() };
const meter = Runtime.instance().metricMeter;
measureWorker(meter, { pool: database.pool, clock, build: config.WORKER_BUILD_ID });
countUpkeepFromZero(meter, { namespace: config.TEMPORAL_NAMESPACE, taskQueue: TASK_QUEUE });
const redis = await connectRedis(config.REDIS_URL, (error) => log.warn({ err: error }, AWAY.redis));
const mail = mailGateway({ config, redis, clock });
if (!mail) log.warn("email notices are off; set SMTP_URL to send them");
const temporal = temporalServer(config);
noteTemporalCertificates(config);
const connection = await NativeConnection.connect({
  ...workerSettings.connection,
  ...temporal,
}).catch((error) => {
  log.fatal({ err: error, ...shownServer(temporal) }, AWAY.temporal);
  process.exit(1);
});
const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
// Nobody waits for these calls, so a slow Temporal gets more time than a request has.
const calls = createCalls(client, () => 2_500);
const reportToFlow = reporting(calls.signal);
const onReport = (report: DeliveryReport) => passReport({ redis, report: reportToFlow }, report);
const sms = configuredSms({ config, redis, clock, log, onReport });
const tracing = await startTraces({
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  service: "second-step-worker",
  log,
});
if (tracing) traceRedisCommands();
// Tracing adds code to the bundle, so with tracing on we build the bundle at start-up.
const bundle = tracing ? undefined : config.WORKFLOW_BUNDLE;
const { workflowsPath, preloadModules } = workflowCode;
const workers = await createWorkers(
  {
    ...tracing?.worker,
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    // A flow then ends on the build on which it started: see docs/operations.md, "New versions".
    workerDeploymentOptions: config.WORKER_BUILD_ID
      ? {
          useWorkerVersioning: true,
          version: { deploymentName: DEPLOYMENT, buildId: config.WORKER_BUILD_ID },
          defaultVersioningBehavior: "PINNED",
        }
      : undefined,
    activities: createActivities({ db: database.db, redis, sms, mail, config, clock, log }),
  },
  bundle
    ? { workflowBundle: { codePath: bundle } }
    : { workflowsPath, bundlerOptions: { preloadModules } },
);

const stopWatch = await watchGeneration({ db: database.db, redis, log });
const begin = { db: database.db, config, start: starting(calls), log };
const stopRelay = startRelay(begin);
const stopOverdue = startOverdueEnrollments(begin);
const stopChaining = startChaining({ db: database.db, config, log });

const polls = () => workers.every((worker) => worker.getState() === "RUNNING");
const { WORKER_PROBES_ADDRESS } = config;
const probes = WORKER_PROBES_ADDRESS && (await serveProbes(WORKER_PROBES_ADDRESS, polls));

// The embedded PostgreSQL of `npm start` knows no such timeout.
if (config.NODE_ENV === "production") database.checkTimeout((text) => log.warn(text));
log.info("worker ready");
await Promise.all(workers.map((worker) => worker.run()));
if (probes) probes.close().closeAllConnections();
await Promise.all([stopRelay(), stopOverdue(), stopChaining(), stopWatch()]);
await sms.close();
mail?.close();
await Promise.allSettled([connection.close(), database.close(), redis.close(), tracing?.stop()]);
