import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import type { Person } from "../support/people.ts";

/** The folder with a database of a release, as `npm run record-database` wrote it. */
const FOLDER = join(import.meta.dirname, "0003");

/** The keys of the recorded service. They open nothing but this record. */
export const RECORDED_KEYS = {
  SEALING_KEYS: `recorded:${Buffer.alloc(32, "sealing").toString("base64")}`,
  CODE_KEY: Buffer.alloc(32, "codes").toString("base64"),
};

/** The people in the record: what each of them knows and has. */
export type RecordedPeople = {
  phone: Person & { e164: string };
  app: Person & { secret: string };
  codes: Person & { codes: string[] };
  halfWay: Person & { e164: string };
};

/** Keeps what `pg_dump --inserts` wrote, without the settings of one version of PostgreSQL. */
export function keepRecord(dump: string, people: RecordedPeople): void {
  const kept = dump
    .split("\n")
    .filter((line) => !/^(--|\\|SET |SELECT pg_catalog\.set_config)/.test(line))
    .join("\n")
    .replace(/\n{2,}/g, "\n");
  writeFileSync(join(FOLDER, "database.sql"), kept);
  writeFileSync(join(FOLDER, "people.json"), `${JSON.stringify(people, null, 2)}\n`);
}

/** Fills an empty database with the record; resolves with the people in it. */
export async function restoreRecord(url: string): Promise<RecordedPeople> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(readFileSync(join(FOLDER, "database.sql"), "utf8"));
  } finally {
    await client.end();
  }
  return JSON.parse(readFileSync(join(FOLDER, "people.json"), "utf8"));
}
