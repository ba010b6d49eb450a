// npm run bench:bytes: how many bytes a user, a session, a login and an enrollment take in each store.
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@temporalio/client";
import pg from "pg";
import { createClient } from "redis";
import { reportSinceNow } from "../scripts/progress.ts";
import { connectTemporal } from "../scripts/temporal-namespace.ts";
import { writeBlock } from "./docs.ts";
import { allLoads } from "./loads.ts";
import { openMeasuring } from "./measure.ts";
import { makePeople } from "./people.ts";
import { loadRows } from "./rows.ts";
import { type BenchStack, startStack } from "./stack.ts";
import { table } from "./table.ts";

const USERS = 10_000;
const ROWS = 100_000;
const SECONDS = 20;
/** With fewer, the file's own steps of growth hide what one took. A busy machine does fewer. */
const LEAST_DONE = 100;
const LOADS = [
  "password + OTP, 8 clients",
  "password + SMS, 8 clients",
  "OTP enrollment, 8 clients",
  "SMS enrollment, 8 clients",
];
const report = reportSinceNow((line) => console.error(line));
const whole = (value: number) => Math.round(value).toLocaleString("en");

async function onRedis<T>(
  { env }: BenchStack,
  work: (redis: ReturnType<typeof createClient>) => Promise<T>,
): Promise<T> {
  const redis = createClient({ url: env.REDIS_URL });
  redis.on("error", () => {});
  await redis.connect();
  return work(redis as ReturnType<typeof createClient>).finally(() => redis.destroy());
}

const usedMemory = (stack: BenchStack) =>
  onRedis(stack, async (redis) =>
    Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]),
  );

/** The keys by kind: how many, the bytes of one, and for how many hours it lives at most. */
async function keysByKind(stack: BenchStack) {
  return onRedis(stack, async (redis) => {
    const kinds = new Map<string, { keys: number; bytes: number; hours: number }>();
    for await (const keys of redis.scanIterator({ MATCH: "mfa:*", COUNT: 1000 }))
      for (const key of keys) {
        const kind = key.replace(/^mfa:\{[^}]*\}:/, "").replace(/:.*/, "");
        const found = kinds.get(kind) ?? { keys: 0, bytes: 0, hours: 0 };
        found.keys += 1;
        found.bytes += (await redis.memoryUsage(key)) ?? 0;
        found.hours = Math.max(found.hours, (await redis.pTTL(key)) / 3_600_000);
        kinds.set(kind, found);
      }
    return [...kinds].sort(([a], [b]) => a.localeCompare(b));
  });
}

async function query(url: string, sql: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

/** The bytes of Temporal's file, with what is not merged into it yet. */
const temporalBytes = ({ temporalFile }: BenchStack) =>
  ["", "-wal"]
    .map((end) => statSync(`${temporalFile}${end}`, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size);

/** The mean size of a history and its events, of the newest flows of each type. */
async function histories({ env, namespace }: BenchStack) {
  const connection = await connectTemporal({ address: env.TEMPORAL_ADDRESS });
  const client = new Client({ connection, namespace });
  const types = new Map<string, { flows: number; bytes: number; events: number }>();
  for await (const { workflowId, type } of client.workflow.list({
    query: "ExecutionStatus = 'Completed'",
  })) {
    const found = types.get(type) ?? { flows: 0, bytes: 0, events: 0 };
    types.set(type, found);
    if (found.flows >= 100) continue;
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    found.flows += 1;
    found.bytes += Number(raw.workflowExecutionInfo?.historySizeBytes);
    found.events += Number(raw.workflowExecutionInfo?.historyLength);
  }
  await connection.close();
  return [...types];
}

const stack = await startStack({ temporal: "sqlite", gateways: 1, workers: 1 }, { report });
try {
  report(`Opening a session for each of ${USERS} users`);
  const empty = await usedMemory(stack);
  await makePeople(stack.env, { quantity: USERS, having: "neither", hashed: false });
  const session = ((await usedMemory(stack)) - empty) / USERS;

  const measuring = await openMeasuring({ stack, users: 2_000, hash: false, report });
  const flows: (string | number)[][] = [];
  for (const load of allLoads([8]).filter(({ name }) => LOADS.includes(name))) {
    let before = 0;
    await measuring.measure(load, SECONDS, {
      begin: async () => {
        before = temporalBytes(stack);
      },
      end: async (done) => {
        // Closed flows are written to the visibility store a moment later.
        await sleep(5_000);
        const each = (temporalBytes(stack) - before) / done;
        const name = load.name.replace(/,.*/, "");
        if (done >= LEAST_DONE) flows.push([name, done, whole(each)]);
        else report(`${name}: only ${done} done, so its bytes on disk are left out`);
      },
    });
  }
  measuring.close();
  const ofTypes = await histories(stack);
  const kinds = await keysByKind(stack);
  const [events] = await query(
    stack.env.DATABASE_URL,
    "select avg(pg_column_size(events.*))::int as bytes, count(*)::int as quantity from events",
  );
  report(`Making ${ROWS} rows`);
  await loadRows(stack.env.DATABASE_URL, ROWS);
  const tables = await query(
    stack.env.DATABASE_URL,
    // `events` itself holds nothing, but its partitions do. An empty table has 0 rows or -1.
    `select name, sum(reltuples)::int as rows, sum(pg_relation_size(oid)) / sum(reltuples) as data,
       sum(pg_total_relation_size(oid) - pg_relation_size(oid)) / sum(reltuples) as indexes
     from unnest(array['users', 'devices', 'events']) as name
       cross join lateral
         (select name::regclass::oid as oid
          union select relid::oid from pg_partition_tree(name::regclass)) as parts
       join pg_class using (oid)
     where relkind = 'r' and reltuples > 0 group by name order by 1 desc`,
  );
  const text = [
    `Redis: a session of one of ${whole(USERS)} users takes ${whole(session)} bytes of \`used_memory\`. By \`MEMORY USAGE\`, after the loads below:`,
    table(
      ["key", "keys", "bytes of one", "lives at most"],
      kinds.map(([kind, { keys, bytes, hours }]) => [
        ...[kind, whole(keys), whole(bytes / keys)],
        hours > 0 ? `${Math.round(hours * 10) / 10} h` : "for ever",
      ]),
    ),
    "PostgreSQL, bytes of one row, with 100,000 rows of each:",
    table(
      ["table", "rows", "data", "indexes"],
      tables.map(({ name, rows, data, indexes }) => [
        ...[String(name), whole(Number(rows)), whole(Number(data)), whole(Number(indexes))],
      ]),
    ),
    `A real event has ${whole(Number(events?.bytes))} bytes of data (mean of ${whole(Number(events?.quantity))}).`,
    "Temporal on SQLite, bytes on disk for each, with its rows for searches:",
    table(["what", "done", "bytes"], flows),
    "The histories, means of the newest 100 at most:",
    table(
      ["flow", "flows", "events", "bytes of its history"],
      ofTypes.map(([type, { flows: count, bytes, events: number }]) => [
        ...[type, count, Math.round((number / count) * 10) / 10, whole(bytes / count)],
      ]),
    ),
  ].join("\n\n");
  console.log(text);
  if (process.argv.includes("--write-docs")) writeBlock("sizing.md", "bytes", text);
} finally {
  await stack.stop();
}
