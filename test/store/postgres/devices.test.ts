import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import {
  addNamedDevice,
  addSmsDevice,
  getDevice,
  listDevices,
  listSecretsNotSealedWith,
  markOf,
  removeUnverifiedDevice,
  replaceOtpSecret,
  updateSecret,
  verifyDevice,
} from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { getUser } from "../../../store/postgres/users.ts";
import {
  AT,
  addedOtp,
  addedSms,
  burst,
  database,
  eventOf,
  KINDS,
  newUser,
  otp,
  sms,
} from "./database.ts";

describe.each(KINDS)("devices on %s", (kind) => {
  const pools = database(kind);
  const eventsOf = async (userId: string, type: string) =>
    (await listEvents(pools.db, { userId, types: [type], limit: 100 })).events;

  test("a burst over two instances adds one SMS device", async () => {
    const user = await newUser(pools.db);
    const added = await burst(pools, 20, (db) =>
      addSmsDevice(db, sms(user), eventOf(user, "device_added")),
    );
    expect(added.filter((device) => device !== "exists")).toHaveLength(1);
    expect(await listDevices(pools.db, user.id)).toHaveLength(1);
    expect(await eventsOf(user.id, "device_added")).toHaveLength(1);
  });

  test("a burst over two instances adds five OTP devices", async () => {
    const user = await newUser(pools.db);
    await addedSms(pools.db, user);
    const added = await burst(pools, 20, (db) =>
      addNamedDevice(db, otp(user), 5, eventOf(user, "device_added")),
    );
    expect(added.filter((device) => device !== "too_many")).toHaveLength(5);
    expect(await listDevices(pools.db, user.id)).toHaveLength(6);
    expect(await eventsOf(user.id, "device_added")).toHaveLength(5);
  });

  test("another user's device is not found, verified, restarted or removed", async () => {
    const owner = await newUser(pools.db);
    const thief = await newUser(pools.db);
    const { id: deviceId, secret } = await addedOtp(pools.db, owner);
    const stolen = { userId: thief.id, deviceId };
    expect(await getDevice(pools.db, thief.id, deviceId)).toBeUndefined();
    const verification = { ...stolen, at: AT, makeDefault: true };
    expect(await verifyDevice(pools.db, verification, eventOf(thief))).toBe("gone");
    const restart = { ...stolen, secret: "mine" };
    expect(await replaceOtpSecret(pools.db, restart, eventOf(thief))).toBeUndefined();
    expect(await removeUnverifiedDevice(pools.db, stolen, eventOf(thief))).toBe(false);
    expect(await getDevice(pools.db, owner.id, deviceId)).toMatchObject({
      secret,
      verifiedAt: null,
    });
    expect((await getUser(pools.db, thief.id))?.defaultMethod).toBeNull();
  });

  test("a device is verified once, with one event, and becomes the default if asked for", async () => {
    const user = await newUser(pools.db);
    const { id: deviceId } = await addedSms(pools.db, user);
    const { id: otpId } = await addedOtp(pools.db, user);
    const verify = (id: string, makeDefault: boolean) =>
      verifyDevice(
        pools.db,
        { userId: user.id, deviceId: id, at: AT, makeDefault },
        eventOf(user, "device_verified"),
      );
    const outcomes = await burst(pools, 10, () => verify(deviceId, true));
    expect(outcomes.filter((outcome) => outcome === "verified")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "already")).toHaveLength(9);
    expect(await getDevice(pools.db, user.id, deviceId)).toMatchObject({ verifiedAt: AT });
    expect(await eventsOf(user.id, "device_verified")).toHaveLength(1);
    await verify(otpId, false);
    expect((await getUser(pools.db, user.id))?.defaultMethod).toBe("sms");
    expect(await verify(newId(), true)).toBe("gone");
  });

  test("only the set-up of an unverified OTP device can restart", async () => {
    const user = await newUser(pools.db);
    const { id: deviceId } = await addedOtp(pools.db, user);
    const { id: smsId } = await addedSms(pools.db, user);
    const restart = (id: string) =>
      replaceOtpSecret(
        pools.db,
        { userId: user.id, deviceId: id, secret: "v1.k1.new" },
        eventOf(user),
      );
    expect(await restart(deviceId)).toMatchObject({ id: deviceId, secret: "v1.k1.new" });
    expect(await restart(smsId)).toBeUndefined();
    const verification = { userId: user.id, deviceId, at: AT, makeDefault: true };
    await verifyDevice(pools.db, verification, eventOf(user));
    expect(await restart(deviceId)).toBeUndefined();
  });

  test("an overtaken verification does not count: with an old secret, or from a session by password alone", async () => {
    const user = await newUser(pools.db);
    const [first, second] = [await addedOtp(pools.db, user), await addedOtp(pools.db, user)];
    const verify = (device: typeof first, more: object) => {
      const verification = { userId: user.id, deviceId: device.id, at: AT, makeDefault: true };
      return verifyDevice(pools.db, { ...verification, ...more }, eventOf(user));
    };
    const secret = "v1.k1.another";
    const anew = { userId: user.id, deviceId: first.id, secret };
    await replaceOtpSecret(pools.db, anew, eventOf(user));
    expect(await verify(first, { sealedAs: markOf(first.secret ?? "") })).toBe("overtaken");
    expect(await verify(first, { sealedAs: markOf(secret), alone: true })).toBe("verified");
    // A retry of a request that was already written is recognised.
    expect(await verify(first, { sealedAs: markOf(first.secret ?? ""), alone: true })).toBe(
      "already",
    );
    expect(await verify(second, { alone: true })).toBe("overtaken");
    expect(await verify(second, { alone: false })).toBe("verified");
  });

  test("an unverified device is dropped; one verified meanwhile stays", async () => {
    const user = await newUser(pools.db);
    const unverified = await addedSms(pools.db, user);
    const verified = await addedOtp(pools.db, user);
    const verification = { userId: user.id, deviceId: verified.id, at: AT, makeDefault: true };
    await verifyDevice(pools.db, verification, eventOf(user));
    const drop = (deviceId: string) =>
      removeUnverifiedDevice(
        pools.db,
        { userId: user.id, deviceId },
        eventOf(user, "device_dropped"),
      );
    expect(await drop(unverified.id)).toBe(true);
    expect(await drop(unverified.id)).toBe(false);
    expect(await drop(verified.id)).toBe(false);
    expect(await listDevices(pools.db, user.id)).toMatchObject([{ id: verified.id }]);
    expect(await eventsOf(user.id, "device_dropped")).toHaveLength(1);
  });

  test("the database refuses a device that is neither a phone nor an app", async () => {
    const user = await newUser(pools.db);
    const numbers = ["12025550123", "+02025550123", "+1 202 555 0123", "+1", `+${"1".repeat(16)}`];
    for (const phoneNumber of numbers) {
      const adding = addSmsDevice(pools.db, { ...sms(user), phoneNumber }, eventOf(user));
      await expect(adding).rejects.toThrow();
    }
    expect(await listDevices(pools.db, user.id)).toEqual([]);
  });

  test("lists devices in the order they were added", async () => {
    const user = await newUser(pools.db);
    for (const minute of [3, 1, 2]) {
      const at = new Date(AT.getTime() + minute * 60_000);
      await addNamedDevice(pools.db, { ...otp(user, `App ${minute}`), at }, 5, eventOf(user));
    }
    const names = (await listDevices(pools.db, user.id)).map(({ name }) => name);
    expect(names).toEqual(["App 1", "App 2", "App 3"]);
  });

  test("secrets under an old key are found until each is replaced, and replaced only if unchanged since", async () => {
    const user = await newUser(pools.db);
    await addedSms(pools.db, user);
    for (const keyId of ["old", "old", "new", "older"]) {
      const device = { ...otp(user), secret: `v1.${keyId}.${newId()}` };
      await addNamedDevice(pools.db, device, 5, eventOf(user));
    }
    const mine = new Set((await listDevices(pools.db, user.id)).map(({ id }) => id));
    const left = async () =>
      (await listSecretsNotSealedWith(pools.db, "new", 1_000)).filter(({ id }) => mine.has(id));
    expect(await left()).toHaveLength(3);
    for (const { id: deviceId, secret: from } of await left()) {
      const to = `v1.new.${newId()}`;
      const replaced = await burst(pools, 5, (db) => updateSecret(db, { deviceId, from, to }));
      expect(replaced.filter(Boolean)).toHaveLength(1);
    }
    expect(await left()).toEqual([]);
  });
});
