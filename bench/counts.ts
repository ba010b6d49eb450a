import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import { createClient } from "redis";
import type { BenchStack } from "./stack.ts";

/** What the stores have done so far. */
export type Counts = {
  pgTransactions: number;
  pgRows: number;
  walBytes: number;
  redisCommands: number;
};

const POSTGRES = `
  select sum(xact_commit)::int as "pgTransactions",
    sum(tup_inserted + tup_updated + tup_deleted)::int as "pgRows",
    (select pg_current_wal_lsn() - '0/0'::pg_lsn)::float as "walBytes"
  from pg_stat_database where datname = current_database()`;

/**
 * Reads what PostgreSQL and Redis count. A PostgreSQL process reports its counts up to a second
 * late.
 */
export async function readCounts({ env }: BenchStack): Promise<Counts> {
  const database = new pg.Client({ connectionString: env.DATABASE_URL });
  await database.connect();
  const { rows } = await database.query(POSTGRES);
  await database.end();
  const redis = createClient({ url: env.REDIS_URL });
  redis.on("error", () => {});
  await redis.connect();
  const stats = await redis.info("commandstats");
  redis.destroy();
  const calls = [...stats.matchAll(/:calls=(\d+)/g)].map(([, number]) => Number(number));
  return { ...rows[0], redisCommands: calls.reduce((sum, number) => sum + number, 0) };
}

/** What was done between the two counts, for each of `done` units of work. */
export function countsEach(before: Counts, after: Counts, done: number): Counts {
  const each = (name: keyof Counts) => (after[name] - before[name]) / done;
  return {
    pgTransactions: each("pgTransactions"),
    pgRows: each("pgRows"),
    walBytes: each("walBytes"),
    redisCommands: each("redisCommands"),
  };
}

/** The types of a workflow's events, in order. */
export async function readEvents(stack: BenchStack, workflowId: string): Promise<string[]> {
  const connection = await Connection.connect({ address: stack.env.TEMPORAL_ADDRESS });
  const client = new Client({ connection, namespace: stack.namespace });
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  await connection.close();
  return (events ?? []).map((event) => {
    const [type] = Object.keys(event).filter(
      (key) => key.endsWith("EventAttributes") && event[key as keyof typeof event],
    );
    return type?.replace("EventAttributes", "") ?? "unknown";
  });
}
