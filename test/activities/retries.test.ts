import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { getDevice, listDevices, verifyDevice } from "../../store/postgres/devices.ts";
import { getUser } from "../../store/postgres/users.ts";
import { keys } from "../../store/redis/keys.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { AT, eventOf } from "../store/postgres/database.ts";
import { useActivities } from "./perform.ts";
import { challenged, enrollee } from "./subjects.ts";

const { deps, perform, advance, eventsOf } = useActivities();
const origin = { ip: "192.0.2.7", userAgent: "test" };

/** Performs the activity as one worker, then a minute later as the next worker that retries it. */
async function twice(...[name, args]: Parameters<typeof perform>) {
  const workflowId = newId();
  const first = await perform(name, args, { workflowId });
  advance(60_000);
  return [first, await perform(name, args, { workflowId })];
}

test("verifying a device again changes nothing more", async () => {
  const device = { ...(await enrollee(deps)), makeDefault: true, origin };
  await perform("sendPin", { ...device, sending: 1 });
  const at = new Date(deps.clock.now());
  expect(await twice("settleDevice", device)).toEqual([true, true]);
  const { userId, deviceId } = device;
  expect((await getDevice(deps.db, userId, deviceId))?.verifiedAt).toEqual(at);
  expect((await getUser(deps.db, userId))?.defaultMethod).toBe("sms");
  expect(await deps.redis.exists(keys.pin(userId, deviceId))).toBe(0);
  expect(await eventsOf(device)).toEqual(["device_verified"]);
});

test("a device that is gone cannot be verified", async () => {
  const device = { ...(await enrollee(deps)), makeDefault: true, origin };
  await perform("removeDevice", device);
  expect(await perform("settleDevice", device)).toBe(false);
  expect(await eventsOf(device)).toEqual(["device_removed"]);
});

test("the sign-out ends every login that began before, repeated or not", async () => {
  const { userId, accountId } = await enrollee(deps);
  const epochs = await readEpochs(deps.redis, userId, accountId);
  await twice("signOut", { userId, reason: "device_verified" });
  const opened = await openSession(deps.redis, {
    ...{
      userId,
      accountId,
      epochs,
      username: "somebody",
      role: "member",
      scope: "full",
      amr: ["pwd"],
    },
    ...{ now: deps.clock.now(), lifetimeMs: 60_000 },
  });
  expect(opened).toBe("stale");
});

test.each([
  ["removeDevice", "device_removed"],
  ["dropDevice", "device_dropped"],
] as const)("%s again finds nothing left to do", async (activity, event) => {
  const device = { ...(await enrollee(deps)), origin };
  await perform("sendPin", { ...device, sending: 1 });
  await twice(activity, device);
  expect(await listDevices(deps.db, device.userId)).toEqual([]);
  expect(await deps.redis.exists(keys.pin(device.userId, device.deviceId))).toBe(0);
  expect(await eventsOf(device)).toEqual([event]);
});

test("a drop that comes too late leaves a verified device alone", async () => {
  const device = await enrollee(deps);
  const user = await getUser(deps.db, device.userId);
  if (!user) throw new Error("The user is gone");
  await verifyDevice(deps.db, { ...device, at: AT, makeDefault: true }, eventOf(user));
  await perform("dropDevice", device);
  expect(await listDevices(deps.db, device.userId)).toHaveLength(1);
  expect(await eventsOf(device)).toEqual([]);
});

test("locking again keeps the time of the first lock, and is recorded once", async () => {
  const login = { ...(await challenged(deps)), origin };
  const at = new Date(deps.clock.now());
  await twice("lockUser", login);
  expect((await getUser(deps.db, login.userId))?.lockedAt).toEqual(at);
  expect(await eventsOf(login)).toEqual(["account_locked"]);
});

test("an expiry is recorded once", async () => {
  const login = await challenged(deps);
  await twice("recordExpiry", login);
  expect(await eventsOf(login)).toEqual(["login_challenge_expired"]);
});

test("removing all devices again answers the same, so that what hung on them ends", async () => {
  const login = await challenged(deps);
  const request = {
    ...login,
    event: "all_devices_removed" as const,
    actorId: login.userId,
    origin,
  };
  const removal = { ...request, signOut: "if_required" } as const;
  const [first, second] = await twice("removeDevices", removal);
  expect(first).toMatchObject({ mfaOff: true, removed: [{ type: "sms" }] });
  expect(second).toEqual(first);
  expect(await eventsOf(login)).toEqual(["all_devices_removed"]);
  const retired = { ...removal, ...(first as { removed: []; mfaOff: boolean }) };
  expect(await twice("retireDevices", retired)).toEqual([[login.challengeId], [login.challengeId]]);
});

test("a removal that is asked for again ends open logins although the first still has to", async () => {
  const login = await challenged(deps);
  const request = {
    ...login,
    event: "all_devices_removed" as const,
    actorId: login.userId,
    origin,
  };
  const removal = { ...request, signOut: "if_required" } as const;
  await perform("removeDevices", removal, { workflowId: newId() });
  const again = { workflowId: newId() };
  const found = await perform("removeDevices", removal, again);
  expect(found).toEqual({ removed: [], mfaOff: false });
  const retired = { ...removal, ...(found as { removed: []; mfaOff: boolean }) };
  expect(await perform("retireDevices", retired, again)).toEqual([login.challengeId]);
});
