import { fileURLToPath } from "node:url";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { pino } from "pino";
import { createActivities } from "./activities/index.ts";
import { loadConfig } from "./config.ts";
import { outboxGateway } from "./gateways/outbox.ts";
import { connectDatabase } from "./store/postgres/connect.ts";
import { connectRedis } from "./store/redis/connect.ts";
import { TASK_QUEUE } from "./workflows/ids.ts";

const config = loadConfig();
const log = pino({ level: config.LOG_LEVEL, name: "worker" });
// SIGINT and SIGTERM: no new work is polled, what runs is finished, then `run` resolves.
Runtime.install({
  shutdownSignals: ["SIGINT", "SIGTERM"],
  logger: new DefaultLogger("WARN", ({ level, message, meta }) =>
    log.warn({ level, ...meta }, message),
  ),
});

const database = connectDatabase(config.DATABASE_URL);
const redis = await connectRedis(config.REDIS_URL, (error) =>
  log.warn({ err: error }, "redis is away"),
);
const clock = { now: () => Date.now() };
const sms = outboxGateway(redis, clock);
const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: config.TEMPORAL_NAMESPACE,
  taskQueue: TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL("./workflows/index.ts", import.meta.url)),
  activities: createActivities({ db: database.db, redis, sms, config, clock, log }),
});

log.info("worker ready");
await worker.run();
await Promise.allSettled([connection.close(), database.close(), redis.close()]);
