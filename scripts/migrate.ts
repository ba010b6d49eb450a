// Brings the schema of DATABASE_URL up to date: the one-shot command before a new release starts.
import { migrateDatabase } from "../store/postgres/connect.ts";

const url = process.env.DATABASE_URL;
if (!url) {
  console.error("Set DATABASE_URL to the database to migrate (postgres://...)");
  process.exit(1);
}
try {
  await migrateDatabase(url);
  console.log("The database schema is up to date.");
} catch (error) {
  console.error(`The migration failed: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
