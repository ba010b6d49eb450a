import { afterEach, expect, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { newId } from "../../store/ids.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { countUnchained } from "../../store/postgres/events/event-chain.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { type Finding, verifyAccount } from "../../store/postgres/events/verify-events.ts";
import { startChaining } from "../../temporal/chaining.ts";
import { AT, database } from "../store/postgres/database.ts";
import { wireTo } from "../store/wire.ts";
import { otherType } from "../support/event-types.ts";
import { limit } from "../support/limits.ts";
import { environmentOf } from "../support/stack.ts";

const pools = database("postgres");

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** A worker's chaining that looks for events ten times as often as usual. Returns what it logs. */
function chaining(db = pools.db) {
  const logged: string[] = [];
  const config = loadConfig(
    environmentOf(pools.url, "redis://nowhere", { address: "nowhere", namespace: "none" }),
  );
  const chaining = { ...config.limits.chaining, pollMs: 100, longestWaitMs: 400 };
  const limits = { ...config.limits, chaining: chaining as never };
  const log = (_fields: object, words: string) => void logged.push(words);
  ending.push(startChaining({ db, config: { ...config, limits }, log: { info: log, warn: log } }));
  return logged;
}

const happen = (accountId: string) =>
  recordEvent(pools.db, { key: newId(), at: AT, accountId, type: otherType("happened") });

const unchained = () => expect.poll(() => countUnchained(pools.other), { timeout: limit(20_000) });

test("several workers chain what happens meanwhile, and no chain has a fork", async () => {
  const accounts = [newId(), newId()];
  chaining();
  chaining(pools.other);
  for (let n = 0; n < 20; n++) await Promise.all([...accounts, ...accounts].map(happen));
  await unchained().toBe(0);
  const found: Finding[] = [];
  for (const account of accounts)
    expect(
      await verifyAccount(pools.db, account, { found: (one) => found.push(one), read() {} }),
    ).toBe(40);
  expect(found).toEqual([]);
});

test("events wait while PostgreSQL is away; that is logged once", async () => {
  const wire = await wireTo(pools.url);
  ending.push(wire.cut);
  const database = connectDatabase(wire.url);
  ending.push(database.close);
  const logged = chaining(database.db);
  await wire.cut();
  await happen(newId());
  await expect.poll(() => logged.length, { timeout: limit(20_000) }).toBe(1);
  expect(await countUnchained(pools.db)).toBe(1);
  await wire.heal();
  await unchained().toBe(0);
  expect(logged).toEqual([
    "events cannot be chained; they are retried",
    "events are chained again",
  ]);
});
