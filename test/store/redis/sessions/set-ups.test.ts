import { expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { beganSetUp, noteSetUp } from "../../../../store/redis/sessions/set-ups.ts";
import { twoClients } from "../clients.ts";

const [redis] = await twoClients();

test("only the session that began a set-up is recognised, and only for that device", async () => {
  const setUp = { userId: newId(), deviceId: newId() };
  const [own, other] = [newId(), newId()];
  await noteSetUp(redis, setUp, own, 60_000);
  expect(await beganSetUp(redis, setUp, own)).toBe(true);
  expect(await beganSetUp(redis, setUp, other)).toBe(false);
  expect(await beganSetUp(redis, { ...setUp, deviceId: newId() }, own)).toBe(false);
  expect(await beganSetUp(redis, { ...setUp, userId: newId() }, own)).toBe(false);
});
