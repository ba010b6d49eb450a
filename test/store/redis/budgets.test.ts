import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { budgetWait, confirmSpending, refund, spend } from "../../../store/redis/budgets.ts";
import { keys } from "../../../store/redis/keys.ts";
import { DAY_MS, MINUTE_MS } from "../../../units.ts";
import { burst, NOW, twoClients } from "./clients.ts";

const clients = await twoClients();
const [redis] = clients;
const perDay = [{ limit: 10, windowMs: DAY_MS }];
const pins = [...perDay, { limit: 1, windowMs: 30_000 }];

test("a burst over two instances spends exactly the budget", async () => {
  const key = keys.pinSends(newId());
  const spent = await burst(clients, 200, (client) => spend(client, key, perDay, NOW));
  expect(spent.filter(({ ok }) => ok)).toHaveLength(10);
  const refused = spent.filter((spending) => !spending.ok);
  expect(new Set(refused.map(({ retryAfterMs }) => retryAfterMs))).toEqual(new Set([DAY_MS]));
});

test("no window, wherever it begins, holds more than the limit", async () => {
  const key = keys.pinSends(newId());
  // Half just before a counter's midnight, and the rest just after it.
  const times = [0, 1, 2, 3, 4, DAY_MS - 5, DAY_MS - 4, DAY_MS - 3, DAY_MS - 2, DAY_MS - 1];
  for (const time of times) {
    expect(await spend(redis, key, perDay, NOW + time)).toMatchObject({ ok: true });
  }
  expect(await spend(redis, key, perDay, NOW + DAY_MS - 1)).toEqual({
    ok: false,
    underWay: false,
    retryAfterMs: 1,
  });
  for (const time of [0, 1, 2, 3, 4]) {
    expect(await spend(redis, key, perDay, NOW + DAY_MS + time)).toMatchObject({ ok: true });
  }
  expect(await spend(redis, key, perDay, NOW + DAY_MS + 4)).toEqual({
    ok: false,
    underWay: false,
    retryAfterMs: DAY_MS - 9,
  });
});

test("the minimum interval holds too, and the answer has the longest wait", async () => {
  const key = keys.pinSends(newId());
  expect(await spend(redis, key, pins, NOW)).toMatchObject({ ok: true });
  expect(await spend(redis, key, pins, NOW + 10_000)).toEqual({
    ok: false,
    underWay: false,
    retryAfterMs: 20_000,
  });
  expect(await spend(redis, key, pins, NOW + 29_999)).toEqual({
    ok: false,
    underWay: false,
    retryAfterMs: 1,
  });
  for (let sent = 1; sent < 10; sent++) {
    expect(await spend(redis, key, pins, NOW + sent * 30_000)).toMatchObject({ ok: true });
  }
  expect(await spend(redis, key, pins, NOW + 10 * 30_000)).toEqual({
    ok: false,
    underWay: false,
    retryAfterMs: DAY_MS - 300_000,
  });
});

describe("a refund", () => {
  test("gives back one, once, however often it is asked for", async () => {
    const key = keys.pinSends(newId());
    const spent = await burst(clients, 10, (client) => spend(client, key, perDay, NOW));
    const [first] = spent;
    if (!first?.ok) throw new Error("the budget was empty");
    await burst(clients, 20, (client) => refund(client, key, first.token));
    const again = await burst(clients, 20, (client) => spend(client, key, perDay, NOW));
    expect(again.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("of an unknown token gives nothing", async () => {
    const key = keys.pinSends(newId());
    await burst(clients, 10, (client) => spend(client, key, perDay, NOW));
    await refund(redis, key, newId());
    expect(await spend(redis, key, perDay, NOW)).toMatchObject({ ok: false });
  });
});

test("a budget is stored a minute longer than its window, and no longer", async () => {
  const key = keys.pinSends(newId());
  await spend(redis, key, pins, NOW);
  const stays = await redis.pTTL(key);
  expect(stays).toBeGreaterThan(DAY_MS);
  expect(stays).toBeLessThanOrEqual(DAY_MS + MINUTE_MS);
});

describe("places under way", () => {
  const UNCONFIRMED = { confirmedWithinMs: 15_000 };
  const place = (key: string, at = NOW) => spend(redis, key, perDay, at, UNCONFIRMED);

  async function tenUnderWay() {
    const key = keys.usernamePasswords(newId());
    const spent = await burst(clients, 50, (client) =>
      spend(client, key, perDay, NOW, UNCONFIRMED),
    );
    const places = spent.flatMap((one) => (one.ok ? [one.token] : []));
    expect(places).toHaveLength(10);
    return { key, places };
  }

  test("count, and are told apart from spent ones, because they may be free in a moment", async () => {
    const { key, places } = await tenUnderWay();
    expect(await place(key)).toMatchObject({ ok: false, underWay: true });
    for (const token of places.slice(1)) await confirmSpending(redis, key, token);
    expect(await place(key)).toMatchObject({ ok: false, underWay: true });
    await confirmSpending(redis, key, places[0] ?? "");
    expect(await place(key)).toEqual({ ok: false, underWay: false, retryAfterMs: DAY_MS });
  });

  test("that are given back make room, once", async () => {
    const { key, places } = await tenUnderWay();
    const [first = ""] = places;
    await burst(clients, 20, (client) => refund(client, key, first));
    await confirmSpending(redis, key, first);
    const again = await burst(clients, 20, (client) =>
      spend(client, key, perDay, NOW, UNCONFIRMED),
    );
    expect(again.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("of a process that died count as spent after fifteen seconds", async () => {
    const { key } = await tenUnderWay();
    expect(await place(key, NOW + 14_999)).toMatchObject({ ok: false, underWay: true });
    expect(await place(key, NOW + 15_000)).toMatchObject({ ok: false, underWay: false });
    expect(await place(key, NOW + DAY_MS)).toMatchObject({ ok: true });
  });
});

test("the wait can be read without spending, and is what a spending would be told", async () => {
  const key = keys.pinSends(newId());
  expect(await budgetWait(redis, key, pins, NOW)).toBe(0);
  expect(await spend(redis, key, pins, NOW)).toMatchObject({ ok: true });
  expect(await budgetWait(redis, key, pins, NOW + 3_000)).toBe(27_000);
  expect(await budgetWait(redis, key, pins, NOW + 30_000)).toBe(0);
  for (let n = 1; n < 10; n++) await spend(redis, key, pins, NOW + n * 30_000);
  const later = NOW + 10 * 30_000;
  const refused = await spend(redis, key, pins, later);
  expect(refused).toEqual({ ok: false, retryAfterMs: DAY_MS - 10 * 30_000, underWay: false });
  expect(await budgetWait(redis, key, pins, later)).toBe(DAY_MS - 10 * 30_000);
});
