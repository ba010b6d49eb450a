import { userInfo } from "node:os";
import { Client } from "@temporalio/client";
import { pino } from "pino";
import type { Actor } from "../../core/actors.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { OPERATOR_ID } from "../../store/ids.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { connectTemporal, temporalServer } from "../../temporal/connection.ts";
import { createFlows } from "../../temporal/flows.ts";
import { serviceConfig } from "./settings.ts";

/** The actor in the audit trail: no user of the service, but a user of this machine. */
export const OPERATOR: Actor = {
  actorId: OPERATOR_ID,
  session: OPERATOR_ID,
  origin: { userAgent: `command line of ${userInfo().username}` },
};

const clock = { now: () => Date.now() };

/** Commands print their own errors. */
const log = pino({ level: "silent" });

export type Stores = Omit<CoreDeps, "redis" | "flows">;

/** Runs work that only needs the database. */
export async function withStores(work: (stores: Stores) => Promise<void>): Promise<void> {
  const config = serviceConfig();
  const database = connectDatabase(config.DATABASE_URL, {
    max: 2,
    named: config.DATABASE_NAMED_STATEMENTS,
  });
  try {
    const { db, ping } = database;
    await work({ db, longReads: db, ping, config, clock, log });
  } finally {
    await database.close();
  }
}

/** Runs work that needs Redis and Temporal as well. */
export function withService(work: (deps: CoreDeps) => Promise<void>): Promise<void> {
  return withStores(async (stores) => {
    const { REDIS_URL, TEMPORAL_NAMESPACE: namespace } = stores.config;
    const redis = await connectRedis(REDIS_URL, () => {});
    const connection = connectTemporal(temporalServer(stores.config));
    try {
      const flows = createFlows(new Client({ connection, namespace }));
      await work({ ...stores, redis, flows });
    } finally {
      await Promise.allSettled([redis.close(), connection.close()]);
    }
  });
}
