import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { linkHash } from "../../store/events/event-hash.ts";
import { newId } from "../../store/ids.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { chainEvents } from "../../store/postgres/events/event-chain.ts";
import { findEvent, recordEvent } from "../../store/postgres/events/events.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { setRetention } from "../../store/postgres/roles.ts";
import { eventQueue } from "../../store/postgres/schema.ts";
import { DAY_MS } from "../../units.ts";
import { freshDatabase } from "../support/databases.ts";
import { olderMonths, pastTriggers } from "../support/event-months.ts";
import { otherType } from "../support/event-types.ts";
import { useActivities } from "./perform.ts";

const { deps, perform, advance } = useActivities();
const folder = mkdtempSync(join(tmpdir(), "second-step-archive-"));
const accountId = newId();

beforeAll(async () => {
  await olderMonths(deps.config.DATABASE_URL, new Date("2024-01-01"), 2);
  await setRetention(deps.config.DATABASE_URL, 3);
  for (const month of ["01", "01", "02"]) await happen(`2024-${month}-10`);
  while ((await chainEvents(deps.db, 10)) > 0);
  await deps.db.delete(eventQueue);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function happen(day: string): Promise<string> {
  const key = newId();
  const fact = { key, at: new Date(day), accountId, type: otherType("happened") };
  await recordEvent(deps.db, { ...fact, detail: { day } });
  return key;
}

const exporting = () => ({ config: { ...deps.config, EVENTS_EXPORT_DIR: folder } });

const kept = async () => (await listEvents(deps.db, { accountId, limit: 10 })).events.length;

test("a month is exported with its links, and then dropped; a repeat does nothing more", async () => {
  expect(await perform("keepEvents", undefined as never)).toEqual([
    "events_2024_01",
    "events_2024_02",
  ]);
  await perform("dropEvents", "events_2024_01", exporting());
  await perform("dropEvents", "events_2024_01", exporting());
  const [file = "", ...others] = readdirSync(folder);
  expect([file, others]).toEqual(["events_2024_01-until-2024-02-01.ndjson.gz", []]);
  const lines = gunzipSync(readFileSync(join(folder, file)))
    .toString()
    .trim()
    .split("\n");
  const events = lines.map((line) => JSON.parse(line));
  expect(events.map(({ accountId, detail }) => [accountId, detail])).toEqual([
    [accountId, { day: "2024-01-10" }],
    [accountId, { day: "2024-01-10" }],
  ]);
  for (const { chain, ...event } of events)
    expect(linkHash(chain.previous, { ...event, at: new Date(event.at) })).toBe(chain.hash);
  expect(events[1].chain.previous).toBe(events[0].chain.hash);
  expect(await kept()).toBe(1);
});

test("a month with a changed event is not dropped where it must be exported", async () => {
  const { DATABASE_URL } = deps.config;
  await pastTriggers(DATABASE_URL, "update events set ip = '192.0.2.1' where at < '2024-03-01'");
  await expect(perform("dropEvents", "events_2024_02", exporting())).rejects.toThrow();
  expect(await kept()).toBe(1);
  await pastTriggers(DATABASE_URL, "update events set ip = null where at < '2024-03-01'");
  await perform("dropEvents", "events_2024_02", exporting());
  expect(await kept()).toBe(0);
});

test("behind a pooler the upkeep may take longer than the role's timeout for statements", async () => {
  const { url, drop } = await freshDatabase("pgbouncer");
  const server = new URL(inject("postgresUrl"));
  server.pathname = new URL(url).pathname;
  try {
    await migrateDatabase(server.href);
    await olderMonths(server.href, new Date("2024-01-01"), 1);
    await setRetention(server.href, 3);
    const at = new Date("2024-01-10");
    const { db, close } = connectDatabase(url, { named: false });
    const fact = { key: newId(), at, accountId, type: otherType("happened") };
    await recordEvent(db, fact);
    while ((await chainEvents(db, 10)) > 0);
    await db.delete(eventQueue);
    await pastTriggers(
      server.href,
      "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1.5); return null; end'",
      "create trigger slow after delete on event_keys execute function slow()",
      "create trigger slow after delete on event_partitions execute function slow()",
      `alter role postgres in database ${server.pathname.slice(1)} set statement_timeout = '1s'`,
      // Connections of the server keep what they began with.
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await close();
    const pooled = {
      config: { ...deps.config, DATABASE_URL: url, DATABASE_NAMED_STATEMENTS: false },
    };
    expect(await perform("keepEvents", undefined as never, pooled)).toEqual(["events_2024_01"]);
    expect(await perform("keepEvents", undefined as never, pooled)).toEqual(["events_2024_01"]);
    await perform("dropEvents", "events_2024_01", pooled);
    expect(await perform("keepEvents", undefined as never, pooled)).toEqual([]);
  } finally {
    await drop();
  }
});

test("keys are forgotten after 40 days, and not before", async () => {
  const at = new Date(deps.clock.now());
  const key = await happen(at.toISOString());
  advance(39 * DAY_MS);
  await perform("keepEvents", undefined as never);
  expect(await findEvent(deps.db, key)).toBeDefined();
  advance(2 * DAY_MS);
  await perform("keepEvents", undefined as never);
  expect(await findEvent(deps.db, key)).toBeUndefined();
  expect(await kept()).toBe(1);
});
