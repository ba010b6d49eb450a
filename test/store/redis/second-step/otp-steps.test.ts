import { expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { forgetDevice } from "../../../../store/redis/second-step/attempts.ts";
import { consumeOtpStep } from "../../../../store/redis/second-step/otp-steps.ts";
import { burst, twoClients } from "../clients.ts";

const clients = await twoClients();
const [redis] = clients;
const device = () => ({ userId: newId(), deviceId: newId() });

test("the code that enrolled a device works for one of many flows at once", async () => {
  const enrolled = { ...device(), step: 100 };
  const taken = await burst(clients, 100, (client, index) =>
    consumeOtpStep(client, { ...enrolled, holder: `flow ${index}` }),
  );
  expect(taken.filter(Boolean)).toHaveLength(1);
});

test("the holder of a step may use it again; earlier steps are void", async () => {
  const claim = { ...device(), step: 100, holder: "enrollment:1" };
  expect(await consumeOtpStep(redis, claim)).toBe(true);
  expect(await consumeOtpStep(redis, claim)).toBe(true);
  expect(await consumeOtpStep(redis, { ...claim, step: 99 })).toBe(false);
  expect(await consumeOtpStep(redis, { ...claim, holder: "enrollment" })).toBe(false);
  expect(await consumeOtpStep(redis, { ...claim, step: 101, holder: "other" })).toBe(true);
});

test("the steps of a removed device are forgotten", async () => {
  const claim = { ...device(), step: 100, holder: "mine" };
  await consumeOtpStep(redis, claim);
  await forgetDevice(redis, claim.userId, claim.deviceId);
  expect(await consumeOtpStep(redis, { ...claim, step: 1 })).toBe(true);
});
