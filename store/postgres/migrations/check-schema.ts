import { sql } from "drizzle-orm";
import { isUnavailable } from "../../unavailable.ts";
import type { Db } from "../connect.ts";
import { migrationsIn, OWN_MIGRATIONS } from "./journal.ts";

/** Why a build cannot run on a database; the message says what to run. */
class SchemaMismatch extends Error {}

type Log = {
  fatal(fields: object, line: string): void;
  warn(fields: object, line: string): void;
};

/**
 * Ends a process that cannot run on this database, with a line that says what to run. If the
 * database is away, the process starts as it does in any outage, and says that nothing was checked.
 */
export async function endOnMismatch(db: Db, log: Log): Promise<void> {
  try {
    await checkSchema(db);
  } catch (error) {
    if (isUnavailable(error))
      return log.warn({ err: error }, "the schema was not checked, because the database is away");
    const words = "The schema cannot be read. The migration gives this role its rights: run it again.";
    log.fatal({ err: error }, error instanceof SchemaMismatch ? error.message : words);
    process.exit(1);
  }
}

/**
 * The database must have every migration of this build, and need none that it does not know. A newer
 * schema is fine, because that is a rollback. Throws a SchemaMismatch, or the database's own error if
 * it does not answer.
 */
async function checkSchema(db: Db): Promise<void> {
  const known = migrationsIn(OWN_MIGRATIONS);
  const applied = new Set(await numbers(db));
  const missing = known.filter(({ at }) => !applied.has(at)).map(({ tag }) => tag);
  if (missing.length > 0)
    throw new SchemaMismatch(
      `The database lacks ${missing.join(", ")}. Run the migrations of this build before it ` +
        'starts: docs/upgrading.md, "Migrations".',
    );
  const unknown = (await needs(db)).filter((need) => !known.some(({ tag }) => tag === need));
  if (unknown.length > 0)
    throw new SchemaMismatch(
      `This build is too old for the database, which needs builds that know ${unknown.join(", ")}. ` +
        'Start a newer build: docs/upgrading.md, "Going back".',
    );
}

async function numbers(db: Db): Promise<number[]> {
  if (!(await exists(db, "drizzle.__drizzle_migrations"))) return [];
  const { rows } = await db.execute(sql`select created_at from drizzle.__drizzle_migrations`);
  return rows.map(({ created_at }) => Number(created_at));
}

/** A database that only an older release has migrated has no such table. */
async function needs(db: Db): Promise<string[]> {
  if (!(await exists(db, "drizzle.schema_needs"))) return [];
  const { rows } = await db.execute(sql`select migration from drizzle.schema_needs`);
  return rows.map(({ migration }) => String(migration));
}

async function exists(db: Db, table: string): Promise<boolean> {
  const { rows } = await db.execute(sql`select to_regclass(${table}) is not null as found`);
  return rows[0]?.found === true;
}
