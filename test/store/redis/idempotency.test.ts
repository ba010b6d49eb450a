import { expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { claim, complete, release } from "../../../store/redis/idempotency.ts";
import { keys } from "../../../store/redis/keys.ts";
import { burst, tally, twoClients } from "./clients.ts";

const clients = await twoClients();
const [redis] = clients;
const newKey = () => keys.idempotency(newId());

async function claimed(key: string) {
  const first = await claim(redis, key, "print");
  if (first.outcome !== "claimed") throw new Error(first.outcome);
  return first.claim;
}

test("of a hundred equal requests at once, one goes on", async () => {
  const key = newKey();
  const claims = await burst(clients, 100, (client) => claim(client, key, "print"));
  expect(tally(claims.map(({ outcome }) => outcome))).toEqual({ claimed: 1, in_progress: 99 });
});

test("a repeated request gets the first answer, one of other content none", async () => {
  const key = newKey();
  await complete(redis, key, await claimed(key), "sealed answer");
  expect(await claim(redis, key, "print")).toEqual({ outcome: "done", response: "sealed answer" });
  expect(await claim(redis, key, "other")).toEqual({ outcome: "mismatch" });
});

test("a failed request may be sent again", async () => {
  const key = newKey();
  await release(redis, key, await claimed(key));
  expect(await claim(redis, key, "other")).toMatchObject({ outcome: "claimed" });
});

test("one who lost the claim neither answers for nor releases the one who has it", async () => {
  const key = newKey();
  const lost = await claimed(key);
  await release(redis, key, lost);
  const owner = await claimed(key);
  await complete(redis, key, lost, "late answer");
  await release(redis, key, lost);
  expect(await claim(redis, key, "print")).toEqual({ outcome: "in_progress" });
  await complete(redis, key, owner, "answer");
  await release(redis, key, owner);
  expect(await claim(redis, key, "print")).toEqual({ outcome: "done", response: "answer" });
});

test("an unanswered claim is free again within fifteen seconds, an answer is kept for a day", async () => {
  const key = newKey();
  const owner = await claimed(key);
  expect(await redis.pTTL(key)).toBeLessThanOrEqual(15_000);
  await complete(redis, key, owner, "answer");
  const stays = await redis.pTTL(key);
  expect(stays).toBeGreaterThan(23 * 3_600_000);
  expect(stays).toBeLessThanOrEqual(24 * 3_600_000);
});
