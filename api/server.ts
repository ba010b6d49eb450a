import { serve } from "@hono/node-server";
import { Client } from "@temporalio/client";
import { pino } from "pino";
import { loadConfig } from "../config.ts";
import { connectDatabase } from "../store/postgres/connect.ts";
import { connectRedis } from "../store/redis/connect.ts";
import { hasOutbox } from "../store/redis/outbox.ts";
import { createApp } from "./app.ts";
import { connectTemporal, createFlows } from "./flows.ts";
import { requestFields } from "./request-context.ts";

const config = loadConfig();
const log = pino({ level: config.LOG_LEVEL, name: "gateway", mixin: requestFields });
const database = connectDatabase(config.DATABASE_URL);
const redis = await connectRedis(config.REDIS_URL, (error) =>
  log.warn({ err: error }, "redis is away"),
);
const connection = connectTemporal(config.TEMPORAL_ADDRESS);
const flows = createFlows(new Client({ connection, namespace: config.TEMPORAL_NAMESPACE }));
const clock = { now: () => Date.now() };

const { db, ping } = database;
const app = createApp({ db, ping, redis, flows, config, clock, log });
const server = serve({ fetch: app.fetch, hostname: config.HOST, port: config.PORT }, (address) =>
  log.info({ port: address.port }, "gateway ready"),
);
if (hasOutbox(config))
  log.warn(
    "messages go to the development outbox and reach no phone; set SMS_GATEWAY for real ones",
  );

/** Answers what is under way, then lets go of everything. */
async function stop() {
  await new Promise((resolve) => server.close(resolve));
  await Promise.allSettled([database.close(), redis.close(), connection.close()]);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
