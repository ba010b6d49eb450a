import { expect, test } from "vitest";
import { hashCode } from "../../store/codes.ts";
import { newId } from "../../store/ids.ts";
import { getDevice, removeUnverifiedDevice } from "../../store/postgres/devices.ts";
import { getUser } from "../../store/postgres/users.ts";
import { checkPin } from "../../store/redis/second-step/pins.ts";
import { readUserRevocation } from "../../store/redis/sessions/revocations.ts";
import { DAY_MS, MINUTE_MS } from "../../units.ts";
import { otherType } from "../support/event-types.ts";
import { eventually, ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");
const ACCEPTED = { makeDefault: true, origin: ORIGIN };

type Enrolled = { userId: string; deviceId: string };

/** The PIN of the newest message. */
const newestPin = () => /^\d{4}/.exec(world.phone.messages.at(-1)?.body ?? "")?.[0] as string;

/** Checks a typed PIN as the gateway does. */
async function judge({ userId, deviceId }: Enrolled, pin: string) {
  const { redis, config, clock } = world;
  const hash = hashCode(config.CODE_KEY, "pin", deviceId, pin);
  const { tries } = config.limits.pin;
  return (await checkPin(redis, { userId, deviceId, hashes: [hash], now: clock.now(), tries }))
    .outcome;
}

const device = ({ userId, deviceId }: Enrolled) => getDevice(world.db, userId, deviceId);

test("a PIN is sent, and works for ten minutes only", async () => {
  const flow = await world.smsEnrollment();
  expect(await flow.reaches("awaiting_pin")).toMatchObject({ next: ["verify", "pin", "remove"] });
  const pin = newestPin();
  expect(await judge(flow, pin)).toBe("accepted");
  await world.pass(9 * MINUTE_MS);
  expect((await flow.view()).state).toBe("awaiting_pin");
  await world.pass(2 * MINUTE_MS);
  expect(await flow.reaches("pin_expired")).toMatchObject({ next: ["pin", "remove"] });
  expect(await judge(flow, pin)).toBe("expired");
  await expect(flow.update("acceptPin", ACCEPTED)).rejects.toThrow();
});

test("a new PIN voids the older one and gets ten minutes of its own", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  const older = newestPin();
  await world.pass(9 * MINUTE_MS);
  expect(await flow.update("resendPin")).toMatchObject({ state: "sending_pin" });
  await flow.reaches("awaiting_pin");
  const newer = newestPin();
  if (newer !== older) expect(await judge(flow, older)).toBe("replaced");
  await world.pass(9 * MINUTE_MS);
  expect((await flow.view()).state).toBe("awaiting_pin");
  expect(await judge(flow, newer)).toBe("accepted");
});

test("wrong PINs are reported, the last one voids the PIN, and a new PIN starts again", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  expect(await flow.update("rejectPin", { triesRemaining: 1 })).toMatchObject({
    state: "awaiting_pin",
    triesRemaining: 1,
  });
  expect(await flow.update("voidPin")).toMatchObject({ state: "pin_void", triesRemaining: 0 });
  await expect(flow.update("acceptPin", ACCEPTED)).rejects.toThrow();
  await flow.update("resendPin");
  expect((await flow.reaches("awaiting_pin")).triesRemaining).toBeUndefined();
});

test("the right PIN verifies the phone, and only then signs the user out", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  const verified = { state: "verified", next: [], delivery: "sent" };
  expect(await flow.update("acceptPin", ACCEPTED)).toEqual(verified);
  expect(await flow.handle.result()).toEqual(verified);
  expect(await flow.activities()).toEqual(["sendPin", "settleDevice", "signOut"]);
  expect((await device(flow))?.verifiedAt).not.toBeNull();
  expect((await getUser(world.db, flow.userId))?.defaultMethod).toBe("sms");
  expect(await readUserRevocation(world.redis, flow.userId)).toEqual({
    epoch: 1,
    keyEpoch: 0,
    reason: "device_verified",
  });
  expect(await judge(flow, newestPin())).toBe("none");
  expect(await world.eventsOf(flow)).toEqual(["device_verified"]);
});

test("a phone that was removed before its verification was recorded is no second factor", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  const { db, clock } = world;
  const removal = { at: new Date(clock.now()), accountId: flow.accountId, userId: flow.userId };
  await removeUnverifiedDevice(db, flow, { key: newId(), type: otherType("happened"), ...removal });
  expect(await flow.update("acceptPin", ACCEPTED)).toMatchObject({ state: "removed" });
  expect(await flow.activities()).not.toContain("signOut");
});

test("an unverified phone is dropped after seven days, also if a PIN came on day six", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  await world.pass(6 * DAY_MS);
  await flow.reaches("pin_expired");
  await flow.update("resendPin");
  await flow.reaches("awaiting_pin");
  await world.pass(DAY_MS - 5 * MINUTE_MS);
  await flow.reaches("pin_expired");
  expect(await device(flow)).toBeDefined();
  await world.pass(5 * MINUTE_MS);
  expect(await flow.handle.result()).toMatchObject({ state: "dropped" });
  expect(await device(flow)).toBeUndefined();
  expect(await world.eventsOf(flow)).toEqual(["device_dropped"]);
});

test("a verified phone stays after the seven days", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  await flow.update("acceptPin", ACCEPTED);
  await world.pass(8 * DAY_MS);
  expect(await device(flow)).toBeDefined();
  expect((await flow.view()).state).toBe("verified");
});

test("a phone removed while its PIN is being sent gets no PIN", async () => {
  world.phone.fail();
  const tries = world.phone.attempts();
  const flow = await world.smsEnrollment();
  await eventually(world.phone.attempts).toBeGreaterThan(tries);
  expect(await flow.update("remove", { origin: ORIGIN })).toMatchObject({
    state: "removed",
    next: [],
  });
  world.phone.recover();
  const before = world.phone.attempts();
  await world.pass(10 * MINUTE_MS);
  expect(world.phone.attempts()).toBe(before);
  expect(await flow.handle.result()).toMatchObject({ state: "removed" });
  expect(await device(flow)).toBeUndefined();
  const cancelled = (await flow.history()).filter(
    (event) => event.activityTaskCancelRequestedEventAttributes,
  );
  expect(cancelled).toHaveLength(1);
});

test("another workflow can withdraw it by a signal", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  await flow.handle.signal("withdraw", { origin: ORIGIN });
  expect(await flow.handle.result()).toMatchObject({ state: "removed" });
});
