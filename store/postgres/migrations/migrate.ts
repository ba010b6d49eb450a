import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Migration, migrationsIn, OWN_MIGRATIONS } from "./journal.ts";

const CONNECT_MS = 2_000;
const MIGRATOR = 7_236_301;

/** How long a statement waits for a lock, in ms. Later queries of the table wait behind it. */
const LOCK_MS = 2_000;
/** Between two tries the queries that waited are answered. */
const PAUSE_MS = 3_000;
/** How long one migration tries to get its locks, in ms. */
const PATIENCE_MS = 120_000;
/** How long to wait for another process that migrates, in ms. */
const TURN_MS = 600_000;

/** PostgreSQL's code for a lock that was not free within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = "55P03";

/** Drizzle's own table of applied migrations, and the ones that every build must know. */
const BOOKS = [
  "create schema if not exists drizzle",
  "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
  "create table if not exists drizzle.schema_needs (migration text primary key)",
];

type Options = { folder?: string; report?: (line: string) => void };

/**
 * Brings the schema up to date: each migration in a transaction of its own, or statement by
 * statement if its first line says so. Safe if several processes start at once. A statement waits
 * two seconds for a lock, so that it does not stop the service, then tries again for two minutes.
 * The URL is the server's own: the lock that keeps processes apart belongs to a session, and a
 * pooler gives sessions away. Throws an Error that names the migration, or the process that still
 * migrates after ten minutes, and says what to do.
 */
export async function migrateDatabase(
  url: string,
  { folder = OWN_MIGRATIONS, report = () => {} }: Options = {},
): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on("error", () => {});
  await client.connect();
  try {
    // The role's own timeout is for requests; to build an index may take minutes.
    await client.query("set statement_timeout = 0");
    await beOnlyMigrator(client, report);
    await inTransaction(client, async () => {
      for (const statement of BOOKS) await client.query(statement);
    });
    for (const migration of migrationsIn(folder)) await applyOnce(client, migration, report);
  } finally {
    // Other sessions of the embedded database share this one's locks and settings.
    const leave = "select pg_advisory_unlock_all(); reset statement_timeout";
    await client.query(leave).catch(() => {});
    await client.end();
  }
}

/**
 * Asks again and again instead of waiting inside a query: a waiting query would keep the other
 * process's `create index concurrently` from ending. The embedded database has one session for all,
 * so there only the transactions keep processes apart; `npm start` lets one process migrate it.
 */
async function beOnlyMigrator(client: pg.Client, report: (line: string) => void): Promise<void> {
  const end = performance.now() + TURN_MS;
  for (let asked = 0; ; asked++) {
    const { rows } = await client.query("select pg_try_advisory_lock($1) as mine", [MIGRATOR]);
    if (rows[0].mine) return;
    const holder = performance.now() > end ? await holderOf(client) : undefined;
    if (holder !== undefined) throw notOurTurn(holder);
    if (asked === 0) report("Another process migrates this database. Waiting for its end.");
    await sleep(200);
  }
}

/** The server's process that holds the migrators' lock of this database; undefined if it is free. */
async function holderOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query(
    `select pid from pg_locks where locktype = 'advisory' and granted
       and classid = 0 and objid = $1 and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())`,
    [MIGRATOR],
  );
  return rows[0]?.pid;
}

async function applyOnce(
  client: pg.Client,
  migration: Migration,
  report: (line: string) => void,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await apply(client, migration);
    } catch (error) {
      const locked = (error as { code?: string }).code === LOCK_NOT_AVAILABLE;
      if (!locked || performance.now() > end) throw failed(migration, error, locked);
      report(`Migration ${migration.tag} waits for a lock that another session holds.`);
      await sleep(PAUSE_MS);
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  if (migration.inTransaction) {
    return inTransaction(client, async () => {
      if (await isApplied(client, migration)) return;
      await client.query(`set local lock_timeout = ${LOCK_MS}`);
      for (const statement of migration.statements) await client.query(statement);
      await record(client, migration);
    });
  }
  if (await isApplied(client, migration)) return;
  for (const statement of migration.statements) await client.query(statement);
  await record(client, migration);
}

async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

async function isApplied(client: pg.Client, { at }: Migration): Promise<boolean> {
  const text = "select from drizzle.__drizzle_migrations where created_at = $1";
  return (await client.query(text, [at])).rowCount !== 0;
}

async function record(client: pg.Client, { at, hash }: Migration): Promise<void> {
  const text = "insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)";
  await client.query(text, [hash, at]);
}

function notOurTurn(holder: number): Error {
  return new Error(
    `Another process still migrates this database: PostgreSQL's process ${holder}. If it is none of yours, end it: select pg_terminate_backend(${holder}). A pooler such as PgBouncer keeps the lock of a migration that has ended: a migration needs the URL of the server itself.`,
  );
}

function failed({ tag, inTransaction }: Migration, error: unknown, locked: boolean): Error {
  const why = error instanceof Error ? error.message : String(error);
  const left = inTransaction
    ? "It left nothing behind."
    : "Its earlier statements may stay; the next run starts it again from its first statement.";
  const advice = locked
    ? "End the long transaction that holds the lock (pg_stat_activity shows it), then run this again."
    : "Running builds are not affected. Run this again once the cause is gone.";
  return new Error(`Migration ${tag} failed: ${why}. ${left} ${advice}`, { cause: error });
}
