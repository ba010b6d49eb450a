import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "../../scripts/programs.ts";
import { migrationsIn, OWN_MIGRATIONS } from "../../store/postgres/migrations/journal.ts";
import { limit } from "../support/limits.ts";
import { pythonPrograms } from "../support/python.ts";

/** The last migration from before the rule: the CHANGELOG says to stop the service for it. */
const LAST_FREE = "0004_event_partitions";

/** What the migrator sees to: it sets the lock timeout, and each file is one transaction. */
const MIGRATOR_DOES = [
  ...["require-lock-timeout", "require-statement-timeout", "require-timeout-settings"],
  "prefer-robust-stmts",
];
/** What breaks the builds that still use the column or table: only a contracting migration may. */
const CONTRACTS = [
  ...["ban-drop-column", "ban-drop-table", "ban-drop-not-null", "changing-column-type"],
  ...["renaming-column", "renaming-table"],
];
/** A contracting migration names the migration that every build must know from now on. */
const NEEDS = /^insert into drizzle\.schema_needs/im;
const OUTSIDE = /^-- outside a transaction\n/;
/** An index that failed half-way stays as an invalid one; the next run has to drop it first. */
const DROPPED_FIRST =
  /drop index concurrently if exists[\s\S]*create (unique )?index concurrently/i;

let squawk: string;
const folder = mkdtempSync(join(tmpdir(), "second-step-rules-"));
beforeAll(async () => {
  squawk = join(
    await pythonPrograms("squawk", join(import.meta.dirname, "requirements.txt")),
    "squawk",
  );
}, limit(300_000));
afterAll(() => rmSync(folder, { recursive: true }));

/** What docs/upgrading.md forbids in this migration, by Squawk's names of its rules. */
async function faultsOf(sql: string): Promise<string[]> {
  const file = join(folder, "migration.sql");
  writeFileSync(file, sql);
  const outside = OUTSIDE.test(sql);
  const allowed = [...MIGRATOR_DOES, ...(NEEDS.test(sql) ? CONTRACTS : [])];
  const how = outside ? "--no-assume-in-transaction" : "--assume-in-transaction";
  const args = [how, "--reporter", "json", "--exclude", allowed.join(), "--pg-version", "16", file];
  const found = await runProgram(squawk, ["--no-error-on-unmatched-pattern", ...args]).catch(
    (error) => String(error.message),
  );
  const names = [...found.matchAll(/"rule_name":\s*"([\w-]+)"/g)].map(([, name = ""]) => name);
  const again = outside && /create .*concurrently/i.test(sql) && !DROPPED_FIRST.test(sql);
  return [...new Set([...names, ...(again ? ["drop-index-first"] : [])])];
}

const all = migrationsIn(OWN_MIGRATIONS).map(({ tag }) => tag);
const held = all.slice(all.indexOf(LAST_FREE) + 1);

test("each migration since the rule keeps it", async () => {
  expect(all).toContain(LAST_FREE);
  for (const tag of held)
    expect(await faultsOf(readFileSync(join(OWN_MIGRATIONS, `${tag}.sql`), "utf8")), tag).toEqual(
      [],
    );
});

test.each([
  ["a new column", 'alter table "users" add column "later" text;'],
  [
    "a new table with an index",
    'create table "t" ("id" text primary key, "a" text);--> statement-breakpoint\ncreate index "i" on "t" ("a");',
  ],
  [
    "a constraint that is not validated yet",
    'alter table "users" add constraint "c" check ("id" <> \'\') not valid;',
  ],
  ["its validation, later", 'alter table "users" validate constraint "c";'],
  [
    "an index outside a transaction",
    '-- outside a transaction\ndrop index concurrently if exists "i";--> statement-breakpoint\ncreate index concurrently "i" on "users" ("email");',
  ],
  [
    "a contracting migration",
    'alter table "users" drop column "later";--> statement-breakpoint\ninsert into drizzle.schema_needs values (\'0006_x\');',
  ],
])("allowed: %s", async (_, sql) => {
  expect(await faultsOf(sql)).toEqual([]);
});

test.each([
  [
    "a column is dropped while older builds read it",
    'alter table "users" drop column "email";',
    "ban-drop-column",
  ],
  [
    "a column is renamed",
    'alter table "users" rename column "email" to "mail";',
    "renaming-column",
  ],
  [
    "a constraint is checked under the lock",
    'alter table "users" add constraint "c" check ("id" <> \'\');',
    "constraint-missing-not-valid",
  ],
  [
    "an index blocks writes",
    'create index "i" on "users" ("email");',
    "require-concurrent-index-creation",
  ],
  [
    "a column that older builds do not fill",
    'alter table "users" add column "later" text not null;',
    "adding-required-field",
  ],
  [
    "an index whose second run fails",
    '-- outside a transaction\ncreate index concurrently "i" on "users" ("email");',
    "drop-index-first",
  ],
])("refused: %s", async (_, sql, rule) => {
  expect(await faultsOf(sql)).toContain(rule);
});
