// Brings the schema of DATABASE_URL up to date: the one-shot command before a new release starts.
import { loadSettings, orExit } from "../config.ts";
import { migrateDatabase } from "../store/postgres/connect.ts";

const { DATABASE_URL } = orExit(() => loadSettings(["DATABASE_URL"]));
try {
  await migrateDatabase(DATABASE_URL);
  console.log("The database schema is up to date.");
} catch (error) {
  console.error(`The migration failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
