import { expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { keys } from "../../../../store/redis/keys.ts";
import { findDelivery, rememberDelivery } from "../../../../store/redis/messages/deliveries.ts";
import { DAY_MS } from "../../../../units.ts";
import { twoClients } from "../clients.ts";

const [redis, other] = await twoClients();

test("a reference leads to its flow and sending, from any instance", async () => {
  const delivery = { workflowId: `login-challenge/${newId()}`, sending: 3 };
  const reference = newId();
  await rememberDelivery(redis, reference, delivery);
  expect(await findDelivery(other, reference)).toEqual(delivery);
  expect(await findDelivery(other, newId())).toBeUndefined();
});

test("only a flow's newest message counts, also if a sending was tried again", async () => {
  const delivery = { workflowId: `login-challenge/${newId()}`, sending: 1 };
  const [first, again, another] = [newId(), newId(), newId()];
  await rememberDelivery(redis, first, delivery);
  await rememberDelivery(redis, again, delivery);
  await rememberDelivery(redis, another, { ...delivery, workflowId: `sms-enrollment/${newId()}` });
  expect(await findDelivery(redis, first)).toBeUndefined();
  expect(await findDelivery(redis, again)).toEqual(delivery);
});

test("a reference is kept for a day", async () => {
  const workflowId = `login-challenge/${newId()}`;
  const reference = newId();
  await rememberDelivery(redis, reference, { workflowId, sending: 1 });
  for (const key of [keys.delivery(reference), keys.newestDelivery(workflowId)]) {
    const stays = await redis.pTTL(key);
    expect(stays).toBeGreaterThan(DAY_MS / 2);
    expect(stays).toBeLessThanOrEqual(DAY_MS);
  }
});
