import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { checkPasscode } from "../../store/redis/second-step/attempts.ts";
import { readUserRevocation } from "../../store/redis/sessions/revocations.ts";
import { ORIGIN } from "./flows.ts";
import { useWorld, type World } from "./world.ts";

const world = useWorld("real");

/** Runs a removal. Returns its outcome. */
const remove = async (...removal: Parameters<World["deviceRemoval"]>) =>
  (await world.deviceRemoval(...removal)).result();

test("all devices: multi-factor authentication is off, and an open login ends with it", async () => {
  const login = await world.loginChallenge();
  await login.reaches("awaiting_passcode");
  expect(await remove(login)).toBe("multi_factor_off");
  expect(await login.handle.result()).toMatchObject({ state: "withdrawn" });
  expect(await listDevices(world.db, login.userId)).toEqual([]);
  const { challengeId } = login;
  const attempt = {
    challengeId,
    recoveryCode: "good" as const,
    now: world.clock.now(),
    wrongAllowed: 6,
    requestsAllowed: 1000,
  };
  expect(await checkPasscode(world.redis, attempt)).toEqual({ outcome: "expired" });
  expect(await readUserRevocation(world.redis, login.userId)).toMatchObject({ epoch: 0 });
  const { events } = await listEvents(world.db, { userId: login.userId, limit: 1 });
  expect(events).toMatchObject([{ type: "all_devices_removed", actorId: login.userId, ...ORIGIN }]);
});

test("a reset ends the user's sessions as well", async () => {
  const login = await world.loginChallenge();
  expect(await remove(login, { signOut: "always" })).toBe("multi_factor_off");
  expect(await readUserRevocation(world.redis, login.userId)).toMatchObject({ epoch: 1 });
});

test.each([
  ["a phone", () => world.smsEnrollment(), "awaiting_pin"],
  ["an app", () => world.otpEnrollment(), "awaiting_code"],
] as const)("the enrollment of %s ends when it is removed", async (_kind, start, state) => {
  const enrollment = await start();
  await enrollment.reaches(state);
  expect(await remove(enrollment, enrollment)).toBe("removed");
  expect(await enrollment.handle.result()).toMatchObject({ state: "removed" });
  const { events } = await listEvents(world.db, { userId: enrollment.userId, limit: 10 });
  expect(events.filter(({ type }) => type.startsWith("device_re"))).toHaveLength(1);
});

test("a verified phone can only be removed with all devices; a device that is gone cannot be removed again", async () => {
  const login = await world.loginChallenge();
  const [phone] = await listDevices(world.db, login.userId);
  expect(await remove(login, { deviceId: phone?.id })).toBe("remove_all_required");
  expect(await listDevices(world.db, login.userId)).toHaveLength(1);
  expect((await login.view()).state).not.toBe("withdrawn");
  expect(await remove(login, { deviceId: newId() })).toBe("gone");
});

test("flows that have already ended stay as they are", async () => {
  const login = await world.loginChallenge();
  await login.reaches("awaiting_passcode");
  await login.update("acceptPasscode", { factor: "sms", origin: ORIGIN });
  await login.handle.result();
  expect(await remove(login)).toBe("multi_factor_off");
  expect((await login.view()).state).toBe("authenticated");
});
