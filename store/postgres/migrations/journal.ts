import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";

/** A change of the schema. `at` is its identity in the database; `inTransaction` is the usual way. */
export type Migration = {
  tag: string;
  at: number;
  hash: string;
  statements: string[];
  inTransaction: boolean;
};

/** The first line of a migration whose statements PostgreSQL refuses in a transaction. */
const OUTSIDE = "-- outside a transaction";

/** The migrations that a folder of drizzle-kit holds, oldest first. */
export function migrationsIn(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, "meta/_journal.json"), "utf8"));
  const files = readMigrationFiles({ migrationsFolder: folder });
  return files.map(({ sql, folderMillis: at, hash }, index) => ({
    ...{ tag: entries[index].tag, at, hash },
    statements: sql.filter((statement) => statement.trim() !== ""),
    inTransaction: !sql[0]?.startsWith(OUTSIDE),
  }));
}

/** The folder with the migrations of this build. */
export const OWN_MIGRATIONS = import.meta.dirname;
