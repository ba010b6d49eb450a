import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { migrateDatabase } from "../../../store/postgres/migrations/migrate.ts";
import { freshDatabase } from "../../support/databases.ts";
import { limit } from "../../support/limits.ts";
import { migrationsAnd } from "../../support/migrations.ts";
import { until } from "../../support/until.ts";
import { KINDS } from "./database.ts";

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
afterEach(() => vi.restoreAllMocks());

/** A migrated database, and a session of its own on it. */
async function migrated(kind: (typeof KINDS)[number] = "postgres") {
  const { url, drop } = await freshDatabase(kind);
  closing.push(drop);
  await migrateDatabase(url);
  return { url, session: () => sessionOn(url) };
}

async function sessionOn(url: string) {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  closing.push(() => client.end());
  return client;
}

/** The build's migrations and these further ones. */
function folderWith(...more: string[]) {
  const { folder, remove } = migrationsAnd(...more);
  closing.push(remove);
  return folder;
}

describe.each(KINDS)("on %s", (kind) => {
  test("several processes at once create one schema, and again changes nothing", async () => {
    const { url, drop } = await freshDatabase(kind);
    closing.push(drop);
    const folder = folderWith("create table later (id int)");
    await Promise.all([1, 2, 3].map(() => migrateDatabase(url, { folder })));
    await migrateDatabase(url, { folder });
    const client = await sessionOn(url);
    const { rows } = await client.query(
      "select count(*)::int, count(distinct created_at)::int as once from drizzle.__drizzle_migrations",
    );
    expect(rows[0].count).toBe(rows[0].once);
  });

  test("a migration whose first line says so runs outside a transaction", async () => {
    const { url, session } = await migrated(kind);
    const index = 'create index concurrently "later_index" on "users" ("created_at")';
    const folder = folderWith(`-- outside a transaction\n${index}`);
    await migrateDatabase(url, { folder });
    const client = await session();
    const { rows } = await client.query("select to_regclass('later_index') is not null as made");
    expect(rows).toEqual([{ made: true }]);
  });
});

test("a migration that fails leaves nothing behind, and the message names it", async () => {
  const { url, session } = await migrated();
  const folder = folderWith("create table later (id int);--> statement-breakpoint\nselect 1 / 0");
  await expect(migrateDatabase(url, { folder })).rejects.toThrow(
    /^Migration later_0 failed: division by zero\. It left nothing behind\. /,
  );
  const client = await session();
  const { rows } = await client.query("select to_regclass('later') is null as gone");
  expect(rows).toEqual([{ gone: true }]);
});

test("a migration outside a transaction that stops half-way says so, and the next run repeats it", async () => {
  const { url, session } = await migrated();
  const drop = 'drop index concurrently if exists "later_index"';
  const index = 'create unique index concurrently "later_index" on "twice" ("id")';
  const folder = folderWith(
    "create table twice as select 1 as id union all select 1",
    `-- outside a transaction\n${drop};--> statement-breakpoint\n${index}`,
  );
  await expect(migrateDatabase(url, { folder })).rejects.toThrow(
    /^Migration later_1 failed: .*Its earlier statements may stay; the next run starts it again/,
  );
  const client = await session();
  await client.query("delete from twice where ctid = (select min(ctid) from twice)");
  await migrateDatabase(url, { folder });
  const { rows } = await client.query(
    "select indisvalid from pg_index where indexrelid = 'later_index'::regclass",
  );
  expect(rows).toEqual([{ indisvalid: true }]);
});

test("a migration that must wait for a lock lets queries pass, says so, and goes on afterwards", async () => {
  const { url, session } = await migrated();
  const [reader, other] = [await session(), await session()];
  await reader.query("begin");
  await reader.query("select from users");
  const folder = folderWith('alter table "users" add column "later" text');
  const lines: string[] = [];
  const migrating = migrateDatabase(url, { folder, report: (line) => lines.push(line) });
  await until(
    async () => lines,
    (said) => said.includes("Migration later_0 waits for a lock that another session holds."),
  );
  // Nothing waits behind the migration for long, although the lock is still held.
  await other.query("set lock_timeout = '20s'");
  expect((await other.query("select from users")).rowCount).toBe(0);
  await reader.query("commit");
  await migrating;
  expect((await other.query("select later from users")).rowCount).toBe(0);
});

test("a migration that waits ten minutes for another gives up, and names the process that holds the lock", async () => {
  const { url, session } = await migrated();
  const holder = await session();
  const { rows } = await holder.query("select pg_backend_pid() as pid, pg_advisory_lock(7236301)");
  const now = performance.now.bind(performance);
  const later = (ms: number) => vi.spyOn(performance, "now").mockImplementation(() => now() + ms);
  const lines: string[] = [];
  // One that does not give up gets its turn, so that this test fails and does not wait for ever.
  const unlock = () => void holder.query("select pg_advisory_unlock(7236301)");
  const turn = setTimeout(unlock, limit(10_000));
  const migrating = migrateDatabase(url, {
    report: (line) => {
      lines.push(line);
      later(601_000);
    },
  });
  await expect(migrating).rejects.toThrow(
    new RegExp(
      `PostgreSQL's process ${rows[0].pid}\\. .*pg_terminate_backend\\(${rows[0].pid}\\).*URL of the server itself`,
    ),
  );
  clearTimeout(turn);
  expect(lines).toEqual(["Another process migrates this database. Waiting for its end."]);
});

test("a migration may take longer than the role's timeout for statements", async () => {
  const { url, session } = await migrated();
  const client = await session();
  const name = new URL(url).pathname.slice(1);
  await client.query(`alter role postgres in database ${name} set statement_timeout = '500ms'`);
  const folder = folderWith(
    "select pg_sleep(0.8)",
    "-- outside a transaction\nselect pg_sleep(0.8)",
  );
  await migrateDatabase(url, { folder });
  const { rows } = await (await session()).query("show statement_timeout");
  expect(rows).toEqual([{ statement_timeout: "500ms" }]);
});

test("a migration of a merged branch runs although a later one has run before", async () => {
  const { url, session } = await migrated();
  const folder = folderWith("create table later (id int)");
  await migrateDatabase(url, { folder });
  const journal = join(folder, "meta/_journal.json");
  const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8"));
  const merged = { ...entries.at(-1), tag: "merged", when: entries.at(-1).when - 1 };
  writeFileSync(join(folder, "merged.sql"), "create table merged (id int)");
  writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, merged] }));
  await migrateDatabase(url, { folder });
  const client = await session();
  const { rows } = await client.query("select to_regclass('merged') is not null as made");
  expect(rows).toEqual([{ made: true }]);
});
