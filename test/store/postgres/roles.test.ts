import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { connectDatabase, type Db } from "../../../store/postgres/connect.ts";
import { chainEvents } from "../../../store/postgres/events/event-chain.ts";
import {
  dropPartition,
  duePartitions,
  makeMonths,
} from "../../../store/postgres/events/event-partitions.ts";
import {
  claimQueuedEvents,
  forgetQueuedEvents,
} from "../../../store/postgres/events/event-queue.ts";
import { forgetKeys, recordEvent } from "../../../store/postgres/events/events.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { canChangeEvents, restrictRuntime, setRetention } from "../../../store/postgres/roles.ts";
import { recordLoginEvent } from "../../../store/postgres/users.ts";
import { runtimeRole } from "../../support/databases.ts";
import { olderMonths } from "../../support/event-months.ts";
import { addedOtp, addedSms, database, eventOf, newUser } from "./database.ts";

// Only on a server: PGlite has one role.
const owner = database("postgres");
let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  await olderMonths(owner.url, new Date("2024-01-01"), 1);
  await setRetention(owner.url, 3);
  ({ db, close } = connectDatabase(await runtimeRole(owner.url)));
});
afterAll(() => close());

test("the service's role does the service's work", async () => {
  const user = await newUser(db);
  await addedSms(db, user);
  await addedOtp(db, user);
  await recordLoginEvent(db, eventOf(user));
  await recordEvent(db, { ...eventOf(user), at: new Date("2024-01-15") });
  await forgetQueuedEvents(db, await claimQueuedEvents(db, { limit: 10, claimMs: 1 }));
  expect((await listEvents(db, { userId: user.id, limit: 10 })).events).toHaveLength(4);
  while ((await chainEvents(db, 100)) > 0);
  await makeMonths(db, 8);
  await forgetKeys(db, new Date());
  expect(await duePartitions(db)).toEqual(["events_2024_01"]);
  await dropPartition(db, "events_2024_01", 1);
  expect((await listEvents(db, { userId: user.id, limit: 10 })).events).toHaveLength(3);
});

const MONTH = "events_rest";
const SOME = "(key, at, account_id, type) values ('k', now(), 'a', 'happened')";

test.each([
  ...["update events set type = 'x'", "delete from events", "truncate events"],
  ...["drop table events", "alter table events disable trigger user"],
  ...[`update ${MONTH} set type = 'x'`, `delete from ${MONTH}`, `truncate ${MONTH}`],
  ...[`drop table ${MONTH}`, `alter table ${MONTH} disable trigger user`],
  ...[`alter table events detach partition ${MONTH}`, `insert into ${MONTH} ${SOME}`],
  ...["update event_chain set hash = ''", "delete from event_chain", "drop table event_chain"],
  ...["truncate event_chain", "alter table event_chain disable trigger user"],
  ...["insert into event_chain_dropped values ('a', 1, 9, '')", "delete from event_chain_dropped"],
  ...["update event_retention set months = 3", "delete from event_retention"],
  ...["delete from event_partitions", "update event_partitions set to_at = now()"],
  ...[`select events_drop('${MONTH}', 0)`, "select setval('events_id_seq', 1)"],
  ...["select events_add_partition('x', now(), now())", "set session_replication_role = replica"],
  ...[
    "create table mine (id int)",
    "create or replace function events_append_only() returns trigger language plpgsql as 'begin return null; end'",
  ],
])("the service's role cannot: %s", async (statement) => {
  const before = await owner.db.$count(sql`events`);
  await expect(db.execute(sql.raw(statement))).rejects.toMatchObject({
    cause: {
      message: expect.stringMatching(
        /permission denied|must be owner|not the oldest whose time is over/,
      ),
    },
  });
  expect(await owner.db.$count(sql`events`)).toBe(before);
});

test.each([
  [
    "a link that leaves no number for the next one",
    "insert into event_chain values ('a', 9223372036854775807, 1, now(), 'x')",
  ],
  [
    "an event that is in no month",
    "insert into events (key, at, account_id, type) values ('x', 'infinity', 'a', 'x')",
  ],
])("attack: the service's role stops every chain by %s", async (_, statement) => {
  await expect(db.execute(sql.raw(statement))).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/event_chain_seq|an event has a time/) },
  });
});

test("the service's role cannot give itself more", async () => {
  await db.execute(sql`grant update, delete on events to public`);
  expect(await canChangeEvents(db)).toBe(false);
  expect(await canChangeEvents(owner.db)).toBe(true);
});

test("a role that owns the tables, or is a superuser, is refused as the service's", async () => {
  await expect(restrictRuntime(owner.url, "postgres")).rejects.toThrow("become their owner");
  await expect(restrictRuntime(owner.url, newId())).rejects.toThrow("There is no database role");
});

test.each([
  ["owns the database", (role: string, name: string) => `alter database ${name} owner to ${role}`],
  ["may make tables", (role: string) => `grant create on schema public to ${role}`],
])("a role that %s is refused as the service's", async (_, make) => {
  const role = `r_${newId()}`;
  const [{ name } = { name: "" }] = (
    await owner.db.execute<{ name: string }>(sql`select current_database() as name`)
  ).rows;
  await owner.db.execute(sql.raw(`create role ${role}`));
  await restrictRuntime(owner.url, role);
  await owner.db.execute(sql.raw(make(role, name)));
  await expect(restrictRuntime(owner.url, role)).rejects.toThrow("become their owner");
  await owner.db.execute(sql.raw(`alter database ${name} owner to current_user`));
  await owner.db.execute(sql.raw(`drop owned by ${role}`));
  await owner.db.execute(sql.raw(`drop role ${role}`));
});
