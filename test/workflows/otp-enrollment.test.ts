import { expect, test } from "vitest";
import { getDevice } from "../../store/postgres/devices.ts";
import { getUser } from "../../store/postgres/users.ts";
import { readUserRevocation } from "../../store/redis/sessions/revocations.ts";
import { DAY_MS } from "../../units.ts";
import { ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");

test("the first right code verifies the app, makes it the default and signs the user out", async () => {
  const flow = await world.otpEnrollment();
  expect(await flow.reaches("awaiting_code")).toMatchObject({
    next: ["verify", "restart", "remove"],
  });
  const proof = { makeDefault: true, signOut: true, origin: ORIGIN };
  expect(await flow.update("acceptCode", proof)).toEqual({ state: "verified", next: [] });
  expect(await flow.activities()).toEqual(["settleDevice", "signOut"]);
  expect((await getUser(world.db, flow.userId))?.defaultMethod).toBe("otp");
  expect(await readUserRevocation(world.redis, flow.userId)).toMatchObject({ epoch: 1 });
});

test("a user who does not want it as the default stays logged in", async () => {
  const flow = await world.otpEnrollment();
  await flow.update("acceptCode", { makeDefault: false, signOut: false, origin: ORIGIN });
  expect((await getDevice(world.db, flow.userId, flow.deviceId))?.verifiedAt).not.toBeNull();
  expect((await getUser(world.db, flow.userId))?.defaultMethod).toBeNull();
  expect(await flow.activities()).toEqual(["settleDevice"]);
  expect(await readUserRevocation(world.redis, flow.userId)).toMatchObject({ epoch: 0 });
});

test("wrong codes and a restart leave it open, and do not extend its seven days", async () => {
  const flow = await world.otpEnrollment();
  for (let wrong = 0; wrong < 7; wrong++)
    expect(await flow.update("rejectCode")).toMatchObject({ state: "awaiting_code" });
  await world.pass(6 * DAY_MS);
  expect(await flow.update("restart")).toMatchObject({ state: "awaiting_code" });
  await world.pass(DAY_MS + 1000);
  expect(await flow.handle.result()).toMatchObject({ state: "dropped" });
  expect(await getDevice(world.db, flow.userId, flow.deviceId)).toBeUndefined();
});

test("a removed app is gone, and accepts no code", async () => {
  const flow = await world.otpEnrollment();
  expect(await flow.update("remove", { origin: ORIGIN })).toEqual({ state: "removed", next: [] });
  expect(await getDevice(world.db, flow.userId, flow.deviceId)).toBeUndefined();
  await expect(
    flow.update("acceptCode", { makeDefault: true, signOut: true, origin: ORIGIN }),
  ).rejects.toThrow(/not found|completed/i);
});
