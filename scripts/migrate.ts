// Brings the schema of the database up to date: the one-shot command before a new release starts.
// It works as the tables' owner, DATABASE_OWNER_URL.
import { loadSettings, orExit } from "../config.ts";
import { prepareDatabase } from "./prepare-database.ts";

const settings = orExit(() =>
  loadSettings(["DATABASE_URL", "DATABASE_OWNER_URL", "EVENTS_RETENTION_MONTHS"]),
);
try {
  const doubt = await prepareDatabase(settings, (line) => console.log(line));
  if (doubt) console.warn(doubt);
  console.log("The database schema is up to date.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
