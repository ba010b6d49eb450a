import { migrateDatabase } from "../store/postgres/migrations/migrate.ts";
import { restrictRuntime, setRetention } from "../store/postgres/roles.ts";

/** The settings of the database, as the migration gets them. */
export type DatabaseSettings = {
  DATABASE_URL: string;
  DATABASE_OWNER_URL?: string;
  EVENTS_RETENTION_MONTHS?: number;
};

/**
 * As the tables' owner: brings the schema up to date, says how long events are kept, and gives the
 * service's role what it needs. Reports what it waits for. Answers a doubt about the roles, if there is one.
 */
export async function prepareDatabase(
  settings: DatabaseSettings,
  report?: (line: string) => void,
): Promise<string | undefined> {
  const { DATABASE_URL, DATABASE_OWNER_URL, EVENTS_RETENTION_MONTHS } = settings;
  const owner = DATABASE_OWNER_URL ?? DATABASE_URL;
  await migrateDatabase(owner, { report });
  await setRetention(owner, EVENTS_RETENTION_MONTHS);
  if (DATABASE_OWNER_URL) {
    await restrictRuntime(owner, decodeURIComponent(new URL(DATABASE_URL).username));
    return undefined;
  }
  return "The role of DATABASE_URL owns the tables, so the service could change its audit trail: set DATABASE_OWNER_URL.";
}
