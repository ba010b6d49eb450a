import { eq, sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import type { Db } from "../../../../store/postgres/connect.ts";
import {
  chainEvents,
  countUnchained,
  headsOf,
} from "../../../../store/postgres/events/event-chain.ts";
import { findEvent, recordEvent } from "../../../../store/postgres/events/events.ts";
import {
  auditedAccounts,
  type Finding,
  hasLink,
  lostEvents,
  verifyAccount,
} from "../../../../store/postgres/events/verify-events.ts";
import { eventChain, eventChainQueue } from "../../../../store/postgres/schema.ts";
import { pastTriggers } from "../../../support/event-months.ts";
import { otherType } from "../../../support/event-types.ts";
import { AT, burst, database, KINDS } from "../database.ts";

describe.each(KINDS)("the chains of events on %s", (kind) => {
  const pools = database(kind);

  /** Records events of the account and answers their IDs. */
  async function happen(accountId: string, times: number, db: Db = pools.db): Promise<number[]> {
    const ids: number[] = [];
    for (let n = 0; n < times; n++) {
      const key = newId();
      const detail = { n, list: ["ü", null, true], "a/b": { z: 1, a: 0.5 } };
      await recordEvent(db, { key, at: AT, accountId, type: otherType("happened"), detail });
      ids.push((await findEvent(db, key))?.id ?? 0);
    }
    return ids;
  }

  async function chainAll() {
    while ((await chainEvents(pools.db, 7)) > 0);
  }

  async function findings(accountId: string): Promise<Finding[]> {
    const all: Finding[] = [];
    await verifyAccount(pools.db, accountId, { found: (one) => all.push(one), read() {} });
    return all;
  }

  const linksOf = (accountId: string) =>
    pools.db
      .select()
      .from(eventChain)
      .where(eq(eventChain.accountId, accountId))
      .orderBy(eventChain.seq);

  test("every event gets one link, also if many build at once", async () => {
    const accounts = [newId(), newId(), newId()];
    for (const account of accounts) await happen(account, 10);
    while ((await countUnchained(pools.db)) > 0) await burst(pools, 6, (db) => chainEvents(db, 4));
    for (const account of accounts) {
      const links = await linksOf(account);
      expect(links.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await findings(account)).toEqual([]);
    }
    const seen: string[] = [];
    for await (const account of auditedAccounts(pools.db)) seen.push(account);
    expect(seen).toEqual(expect.arrayContaining(accounts));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("an event that waits for its link is no finding", async () => {
    const account = newId();
    await happen(account, 3);
    expect(await findings(account)).toEqual([]);
  });

  test("a changed event is found", async () => {
    const account = newId();
    const [, id] = await happen(account, 3);
    await chainAll();
    await pastTriggers(pools.url, `update events set ip = '192.0.2.1' where id = ${id}`);
    expect(await findings(account)).toEqual([
      { accountId: account, what: "changed", eventId: id, seq: 2 },
    ]);
  });

  test("an event that is gone is found, and so is its link", async () => {
    const account = newId();
    const ids = await happen(account, 5);
    await chainAll();
    await pastTriggers(pools.url, `delete from events where id = ${ids[1]}`);
    expect(await findings(account)).toEqual([
      { accountId: account, what: "missing", eventId: ids[1], seq: 2 },
    ]);
    await pastTriggers(pools.url, `delete from event_chain where event_id = ${ids[1]}`);
    expect(await findings(account)).toEqual([{ accountId: account, what: "missing", seq: 2 }]);
  });

  test("an event that is written past the queue is found", async () => {
    const account = newId();
    await happen(account, 2);
    await chainAll();
    await pastTriggers(
      pools.url,
      `insert into events (key, at, account_id, type) values ('${newId()}', now(), '${account}', 'happened')`,
    );
    expect(await findings(account)).toMatchObject([{ accountId: account, what: "inserted" }]);
  });

  test("events that are gone before they are chained are found", async () => {
    const [id] = await happen(newId(), 1);
    await pastTriggers(pools.url, `delete from events where id = ${id}`);
    expect(await lostEvents(pools.db)).toEqual([id]);
    await pools.db.delete(eventChainQueue);
  });

  test("a chain whose end was cut off, or that was made anew, lacks a link that was noted", async () => {
    const account = newId();
    const ids = await happen(account, 4);
    await chainAll();
    const head = (await headsOf(pools.db, [account])).get(account) ?? { seq: 0, hash: "" };
    const noted = { accountId: account, ...head };
    expect(head.seq).toBe(4);
    expect(await hasLink(pools.db, noted)).toBe(true);
    const end = `where account_id = '${account}' and`;
    await pastTriggers(
      pools.url,
      `delete from events ${end} id >= ${ids[2]}`,
      `delete from event_chain ${end} event_id >= ${ids[2]}`,
    );
    expect(await findings(account)).toEqual([]);
    expect(await hasLink(pools.db, noted)).toBe(false);
    await happen(account, 2);
    await chainAll();
    expect(await findings(account)).toEqual([]);
    expect(await hasLink(pools.db, noted)).toBe(false);
  });

  test("an event that is queued again is not chained twice", async () => {
    const account = newId();
    const [id = 0] = await happen(account, 2);
    await chainAll();
    await pools.db.insert(eventChainQueue).values({ eventId: id, at: AT });
    await chainAll();
    expect(await linksOf(account)).toHaveLength(2);
    expect(await countUnchained(pools.db)).toBe(0);
  });

  test.each([
    "update event_chain set hash = ''",
    "delete from event_chain",
    "truncate event_chain",
  ])("links cannot be changed afterwards: %s", async (statement) => {
    await happen(newId(), 1);
    await chainAll();
    await expect(pools.db.execute(sql.raw(statement))).rejects.toMatchObject({
      cause: { message: expect.stringContaining("append-only") },
    });
  });
});

// Only on a server: PGlite has one session.
describe("two sessions", () => {
  const pools = database("postgres");

  test("an event that commits after later ones is chained later", async () => {
    const accountId = newId();
    const record = (db: Db) =>
      recordEvent(db, { key: newId(), at: AT, accountId, type: otherType("happened") });
    await pools.db.transaction(async (tx) => {
      await record(tx);
      await record(pools.other);
      expect(await chainEvents(pools.other, 10)).toBe(1);
    });
    expect(await chainEvents(pools.other, 10)).toBe(1);
    const links = await pools.db.select().from(eventChain).orderBy(eventChain.seq);
    const [first, second] = links.map(({ eventId }) => eventId);
    expect(first).toBeGreaterThan(second ?? 0);
    const found: Finding[] = [];
    await verifyAccount(pools.db, accountId, { found: (one) => found.push(one), read() {} });
    expect(found).toEqual([]);
  });
});
