import { expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { claim, complete, release } from "../../../store/redis/idempotency.ts";
import { keys } from "../../../store/redis/keys.ts";
import { burst, tally, twoClients } from "./clients.ts";

const clients = await twoClients();
const [redis] = clients;
const newKey = () => keys.idempotency(newId());
const few = { otherTexts: 2 };
const answer = (response: string, index = keys.storedResponses(newId())) => ({
  ...{ response, index, most: 3, now: 1 },
});

async function claimed(key: string) {
  const first = await claim(redis, key, "print", few);
  if (first.outcome !== "claimed") throw new Error(first.outcome);
  return first.claim;
}

test("of a hundred equal requests at once, one is claimed", async () => {
  const key = newKey();
  const claims = await burst(clients, 100, (client) => claim(client, key, "print", few));
  expect(tally(claims.map(({ outcome }) => outcome))).toEqual({ claimed: 1, in_progress: 99 });
});

test("a repeated request gets the first answer; one with other content gets none", async () => {
  const key = newKey();
  await complete(redis, key, await claimed(key), answer("sealed answer"));
  expect(await claim(redis, key, "print", few)).toEqual({
    outcome: "done",
    response: "sealed answer",
  });
  expect(await claim(redis, key, "other", few)).toEqual({ outcome: "mismatch" });
});

test("a failed request may be sent again", async () => {
  const key = newKey();
  await release(redis, key, await claimed(key));
  expect(await claim(redis, key, "other", few)).toMatchObject({ outcome: "claimed" });
});

test("a request that lost its claim can neither answer nor release the new one", async () => {
  const key = newKey();
  const lost = await claimed(key);
  await release(redis, key, lost);
  const owner = await claimed(key);
  await complete(redis, key, lost, answer("late answer"));
  await release(redis, key, lost);
  expect(await claim(redis, key, "print", few)).toEqual({ outcome: "in_progress" });
  await complete(redis, key, owner, answer("answer"));
  await release(redis, key, owner);
  expect(await claim(redis, key, "print", few)).toEqual({ outcome: "done", response: "answer" });
});

test("an unanswered claim is free again within fifteen seconds; an answer is kept for a day", async () => {
  const key = newKey();
  const owner = await claimed(key);
  expect(await redis.pTTL(key)).toBeLessThanOrEqual(15_000);
  await complete(redis, key, owner, answer("answer"));
  const stays = await redis.pTTL(key);
  expect(stays).toBeGreaterThan(23 * 3_600_000);
  expect(stays).toBeLessThanOrEqual(24 * 3_600_000);
});

test("after too many other contents the request is forgotten: they may be guesses at its content", async () => {
  const key = newKey();
  await complete(redis, key, await claimed(key), answer("answer"));
  for (const guess of ["one", "two"])
    expect(await claim(redis, key, guess, few)).toEqual({ outcome: "mismatch" });
  expect(await claim(redis, key, "three", few)).toMatchObject({ outcome: "claimed" });
  expect(await claim(redis, key, "three", few)).toEqual({ outcome: "in_progress" });
});

test("with otherTexts 0 other content replaces the first request, whose late answer is not stored", async () => {
  const key = newKey();
  const first = await claimed(key);
  const none = { otherTexts: 0 };
  expect(await claim(redis, key, "other", none)).toMatchObject({ outcome: "claimed" });
  await complete(redis, key, first, answer("late answer"));
  expect(await claim(redis, key, "other", none)).toEqual({ outcome: "in_progress" });
});

test("only a user's newest answers are kept, also in a burst", async () => {
  const index = keys.storedResponses(newId());
  const all = Array.from({ length: 10 }, newKey);
  for (const [now, key] of all.entries())
    await complete(redis, key, await claimed(key), { ...answer("x", index), now });
  const left = await Promise.all(all.map((key) => redis.exists(key)));
  expect(left).toEqual([...Array(7).fill(0), 1, 1, 1]);

  const more = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const key = newKey();
      return { key, id: await claimed(key) };
    }),
  );
  await burst(clients, 40, async (client) => {
    const one = more.pop();
    if (one) await complete(client, one.key, one.id, { ...answer("x", index), now: 99 });
  });
  expect(await redis.zCard(index)).toBe(3);
});
