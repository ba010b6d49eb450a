import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { connectDatabase, type Db } from "../../../../store/postgres/connect.ts";
import { chainEvents } from "../../../../store/postgres/events/event-chain.ts";
import {
  dropPartition,
  duePartitions,
  makeMonths,
  PartitionStays,
} from "../../../../store/postgres/events/event-partitions.ts";
import { claimQueuedEvents } from "../../../../store/postgres/events/event-queue.ts";
import {
  findEvent,
  forgetKeys,
  type NewEvent,
  recordEvent,
  recordEvents,
} from "../../../../store/postgres/events/events.ts";
import { listEvents } from "../../../../store/postgres/events/read-events.ts";
import { type Finding, verifyAccount } from "../../../../store/postgres/events/verify-events.ts";
import { migrateDatabase } from "../../../../store/postgres/migrations/migrate.ts";
import { setRetention } from "../../../../store/postgres/roles.ts";
import { eventChain, eventPartitions, eventQueue } from "../../../../store/postgres/schema.ts";
import { DAY_MS } from "../../../../units.ts";
import { freshDatabase } from "../../../support/databases.ts";
import { olderMonths } from "../../../support/event-months.ts";
import { otherType } from "../../../support/event-types.ts";
import { AT, database, KINDS } from "../database.ts";

const happened = (accountId: string, at: Date = AT): NewEvent => ({
  key: newId(),
  at,
  accountId,
  type: otherType("happened"),
});

/** An event of a time to come, as builds before the bound of times wrote it. */
async function foresee(db: Db, { key, at, accountId, type }: NewEvent) {
  await db.execute(sql`
    with fact as (
      insert into event_keys values (${key}, nextval('events_id_seq'), ${at.toISOString()})
      returning *
    )
    insert into events (id, key, at, account_id, type)
    select event_id, key, at, ${accountId}, ${type} from fact`);
}

/** The partition that holds the event of this key. */
async function homeOf(db: Db, key: string) {
  const { rows } = await db.execute<{ name: string }>(
    sql`select tableoid::regclass::text as name from events where key = ${key}`,
  );
  return rows.map(({ name }) => name);
}

const partitionsOf = async (db: Db) => {
  const { rows } = await db.execute<{ name: string }>(
    sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass`,
  );
  return rows.map(({ name }) => name);
};

const inMonths = (months: number) => new Date(Date.now() + months * 30.5 * DAY_MS);

async function chainAll(db: Db) {
  while ((await chainEvents(db, 100)) > 0);
}

describe.each(KINDS)("the partitions of events on %s", (kind) => {
  const pools = database(kind);

  test("months ahead have a partition from the first migration on", async () => {
    const event = happened(newId(), inMonths(1));
    await foresee(pools.db, event);
    const month = event.at.toISOString().slice(0, 7).replace("-", "_");
    expect(await homeOf(pools.db, event.key)).toEqual([`events_${month}`]);
  });

  test("no partition lets its events be changed, reached directly", async () => {
    const accountId = newId();
    for (const at of [AT, new Date(), inMonths(1), inMonths(30)])
      await foresee(pools.db, happened(accountId, at));
    const names = await partitionsOf(pools.db);
    expect(names.length).toBeGreaterThan(4);
    let refused = 0;
    for (const name of names) {
      const [first] = (await pools.db.execute(sql.raw(`select id from ${name} limit 1`))).rows;
      for (const statement of first
        ? [`update ${name} set type = 'x'`, `delete from ${name}`]
        : []) {
        refused += 1;
        await expect(pools.db.execute(sql.raw(statement)), statement).rejects.toMatchObject({
          cause: { message: "events are append-only" },
        });
      }
      await expect(pools.db.execute(sql.raw(`truncate ${name}`)), name).rejects.toMatchObject({
        cause: { message: "events are append-only" },
      });
    }
    expect(refused).toBeGreaterThanOrEqual(2 * 4);
    expect((await listEvents(pools.db, { accountId, limit: 10 })).events).toHaveLength(4);
  });

  test("an event of a month without a partition is kept, and late upkeep gives it one", async () => {
    const event = happened(newId(), inMonths(40));
    await foresee(pools.db, event);
    expect(await homeOf(pools.db, event.key)).toEqual(["events_default"]);
    await makeMonths(pools.db, 3);
    const [home = ""] = await homeOf(pools.db, event.key);
    expect(home).toMatch(/^events_\d{4}_\d\d$/);
    expect(await findEvent(pools.db, event.key)).toMatchObject(event);
    const changed = pools.db.execute(sql.raw(`update ${home} set type = 'x'`));
    await expect(changed).rejects.toMatchObject({ cause: { message: "events are append-only" } });
    // The next month's event waits in the default partition again, until the next upkeep.
    const later = happened(newId(), new Date(event.at.getTime() + 40 * DAY_MS));
    await foresee(pools.db, later);
    expect(await homeOf(pools.db, later.key)).toEqual(["events_default"]);
    await makeMonths(pools.db, 3);
    expect(await homeOf(pools.db, later.key)).not.toEqual(["events_default"]);
  });

  test("an event of a process whose clock is years ahead makes no partition of years", async () => {
    const { db } = pools;
    await makeMonths(db, 3);
    const before = await db.select().from(eventPartitions);
    const ahead = happened(newId(), inMonths(120));
    await recordEvent(db, ahead);
    const many = [happened(newId(), inMonths(90)), happened(newId(), new Date())];
    const facts = many.map(
      ({ key, at, accountId, type }) => sql`
        select ${key} as key, ${at.toISOString()}::timestamptz as at, ${accountId} as account_id,
          null as user_id, ${type} as type, null as workflow_id, '{}'::jsonb as detail`,
    );
    await recordEvents(db, sql.join(facts, sql` union all `));
    const latest = Date.now() + DAY_MS + 60_000;
    for (const { key } of [ahead, ...many]) {
      const found = await findEvent(db, key);
      expect(found?.at.getTime()).toBeLessThan(latest);
      expect(await homeOf(db, key)).not.toEqual(["events_default"]);
    }
    // One whose clock is right keeps its time.
    expect(await findEvent(db, many[1]?.key ?? "")).toMatchObject({ at: many[1]?.at });
    await makeMonths(db, 3);
    expect(await db.select().from(eventPartitions)).toEqual(before);
  });

  test("a fact is recorded once, also at another time, until its key is forgotten", async () => {
    const event = happened(newId());
    const repeated = { ...event, at: inMonths(1) };
    expect(await recordEvent(pools.db, event)).toBe(true);
    expect(await recordEvent(pools.db, repeated)).toBe(false);
    await forgetKeys(pools.db, AT);
    expect(await findEvent(pools.db, event.key)).toMatchObject(event);
    await forgetKeys(pools.db, new Date(AT.getTime() + 1));
    expect(await findEvent(pools.db, event.key)).toBeUndefined();
    expect(
      (await listEvents(pools.db, { accountId: event.accountId, limit: 5 })).events,
    ).toHaveLength(1);
  });
});

describe.each(KINDS)("events whose time is over, on %s", (kind) => {
  const pools = database(kind);
  const accountId = newId();
  const month = (n: number) => new Date(Date.UTC(2024, n, 15));

  test("go month by month, oldest first, and the chains stay whole", async () => {
    const { db, url } = pools;
    await olderMonths(url, month(0), 2);
    const all = [-5, 0, 0, 1, 0, 1, 3, 30].map((n) => happened(accountId, month(n)));
    for (const event of all) await recordEvent(db, event);
    expect(await duePartitions(db)).toEqual([]);
    await setRetention(url, 3);
    expect(await duePartitions(db)).toEqual(["events_before", "events_2024_01", "events_2024_02"]);

    const kept = () => listEvents(db, { accountId, limit: 20 });
    const stays = () =>
      expect(dropPartition(db, "events_before", 1)).rejects.toThrow(PartitionStays);
    // Still in both queues, then in the chain's alone, then in that of the follow-ups alone.
    await stays();
    const waiting = await db.delete(eventQueue).returning();
    await stays();
    await db.insert(eventQueue).values(waiting);
    await chainAll(db);
    await stays();
    await db.delete(eventQueue);
    // Not the oldest; with other rows than were exported; not due.
    await expect(dropPartition(db, "events_2024_01", 3)).rejects.toThrow(PartitionStays);
    await expect(dropPartition(db, "events_before", 2)).rejects.toThrow(PartitionStays);
    await expect(dropPartition(db, "events_rest", 1)).rejects.toThrow(PartitionStays);
    expect((await kept()).events).toHaveLength(8);

    await dropPartition(db, "events_before", 1);
    await dropPartition(db, "events_2024_01", 3);
    expect(await duePartitions(db)).toEqual(["events_2024_02"]);
    expect((await kept()).events.map(({ at }) => at)).toEqual([30, 3, 1, 1].map(month));
    expect((await db.select().from(eventChain)).map(({ seq }) => seq).sort()).toEqual([4, 6, 7, 8]);

    const findings: Finding[] = [];
    const verify = async () => {
      findings.length = 0;
      const found = (finding: Finding) => findings.push(finding);
      return verifyAccount(db, accountId, { found, read() {} });
    };
    expect(await verify()).toBe(4);
    expect(findings).toEqual([]);
    await dropPartition(db, "events_2024_02", 2);
    // A late event of a month that was dropped is kept until the next upkeep.
    await recordEvent(db, happened(accountId, month(0)));
    await chainAll(db);
    expect(await verify()).toBe(3);
    expect(findings).toEqual([]);
    expect(await duePartitions(db)).toEqual(["events_before"]);
    const names = (await db.select().from(eventPartitions)).map(({ name }) => name);
    expect(names).toContain("events_before");
    expect(names).not.toContain("events_2024_01");
  });
});

describe("an installation with events from before the partitions", () => {
  test("keeps them where they are, and follow-ups, keys and order stay", async () => {
    const own = await freshDatabase("postgres");
    const folder = mkdtempSync(join(tmpdir(), "second-step-migrations-"));
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    try {
      await cp(new URL("../../../../store/postgres/migrations", import.meta.url), folder, {
        recursive: true,
      });
      const journal = join(folder, "meta/_journal.json");
      const known = JSON.parse(readFileSync(journal, "utf8"));
      writeFileSync(journal, JSON.stringify({ ...known, entries: known.entries.slice(0, 4) }));
      await migrate(drizzle(client), { migrationsFolder: folder });
      await client.query(`insert into events (key, at, account_id, type)
        select 'fact' || n, now() - n * interval '10 days', 'a' || n % 2, 'happened'
        from generate_series(0, 9) n`);
      await client.query("delete from event_queue where event_id < 8");
      const file = "select pg_relation_filenode($1::regclass) as file";
      const before = await client.query(file, ["events"]);

      await migrateDatabase(own.url);
      const after = await client.query(file, ["events_before"]);
      expect(after.rows).toEqual(before.rows);

      const { db, close } = connectDatabase(own.url);
      const again = { ...happened("a1", new Date()), key: "fact1" };
      expect(await recordEvent(db, again)).toBe(false);
      expect(await findEvent(db, "fact1")).toMatchObject({ id: 2, key: "fact1" });
      expect((await claimQueuedEvents(db, { limit: 10, claimMs: 1 })).map(({ id }) => id)).toEqual([
        8, 9, 10,
      ]);
      const fresh = happened("a1", new Date());
      await recordEvent(db, fresh);
      const { events } = await listEvents(db, { accountId: "a1", limit: 10 });
      expect(events[0]).toMatchObject(fresh);
      expect(events.map(({ id }) => id)).toEqual([events[0]?.id, 10, 8, 6, 4, 2]);
      await chainAll(db);
      const findings: Finding[] = [];
      await verifyAccount(db, "a0", { found: (one) => findings.push(one), read() {} });
      expect(findings).toEqual([]);
      await close();
    } finally {
      await client.end();
      rmSync(folder, { recursive: true });
      await own.drop();
    }
  });
});
