import { describe, expect, test } from "vitest";
import type { Db } from "../../../store/postgres/connect.ts";
import { removeAllDevices, removeDevice } from "../../../store/postgres/device-removal.ts";
import { listDevices, verifyDevice } from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import {
  countRecoveryCodes,
  replaceRecoveryCodes,
} from "../../../store/postgres/recovery-codes.ts";
import type { Device, User } from "../../../store/postgres/schema.ts";
import { getUser } from "../../../store/postgres/users.ts";
import { AT, addedOtp, addedSms, burst, database, eventOf, KINDS, newUser } from "./database.ts";

describe.each(KINDS)("removal on %s", (kind) => {
  const pools = database(kind);

  async function verified(user: User, device: Device) {
    const verification = { userId: user.id, deviceId: device.id, at: AT, makeDefault: true };
    await verifyDevice(pools.db, verification, eventOf(user));
    return device;
  }

  const remove = (user: User, device: Device, db: Db = pools.db) =>
    holdingUser(db, user.id, (tx) =>
      removeDevice(tx, { userId: user.id, deviceId: device.id }, eventOf(user, "device_removed")),
    );

  const removeAll = (user: User, db: Db = pools.db, event = eventOf(user)) =>
    holdingUser(db, user.id, (tx) => removeAllDevices(tx, user.id, event));

  const state = async (user: User) => ({
    devices: (await listDevices(pools.db, user.id)).map(({ id }) => id),
    defaultMethod: (await getUser(pools.db, user.id))?.defaultMethod,
    codes: await countRecoveryCodes(pools.db, user.id, AT),
  });

  const withCodes = (user: User) =>
    holdingUser(pools.db, user.id, (tx) =>
      replaceRecoveryCodes(tx, { userId: user.id, hashes: ["a", "b"], at: AT }, eventOf(user)),
    );

  test("leaves another user's device alone", async () => {
    const owner = await newUser(pools.db);
    const device = await verified(owner, await addedOtp(pools.db, owner));
    expect(await remove(await newUser(pools.db), device)).toBe("gone");
    expect(await listDevices(pools.db, owner.id)).toHaveLength(1);
  });

  test("of a verified SMS device works only with all devices; an unverified one can go alone", async () => {
    const user = await newUser(pools.db);
    const phone = await addedSms(pools.db, user);
    expect(await remove(user, phone)).toEqual({
      removed: [{ id: phone.id, type: "sms" }],
      mfaOff: false,
    });
    const again = await verified(user, await addedSms(pools.db, user));
    await verified(user, await addedOtp(pools.db, user));
    expect(await remove(user, again)).toBe("remove_all_required");
  });

  test("of the last verified device also removes the recovery codes and the default", async () => {
    const user = await newUser(pools.db);
    const first = await verified(user, await addedOtp(pools.db, user));
    const second = await verified(user, await addedOtp(pools.db, user));
    const unfinished = await addedOtp(pools.db, user);
    await withCodes(user);
    expect(await remove(user, first)).toMatchObject({ mfaOff: false });
    expect(await state(user)).toEqual({
      devices: [second.id, unfinished.id].sort(),
      defaultMethod: "otp",
      codes: 2,
    });
    expect(await remove(user, second)).toMatchObject({ mfaOff: true });
    expect(await state(user)).toEqual({ devices: [unfinished.id], defaultMethod: null, codes: 0 });
  });

  test("of two last devices removed at once, one turns authentication off", async () => {
    const user = await newUser(pools.db);
    const devices = [
      await verified(user, await addedOtp(pools.db, user)),
      await verified(user, await addedOtp(pools.db, user)),
    ];
    await withCodes(user);
    const removed = await Promise.all([
      remove(user, devices[0] as Device, pools.db),
      remove(user, devices[1] as Device, pools.other),
    ]);
    const off = removed.map((outcome) => typeof outcome === "object" && outcome.mfaOff);
    expect(off.sort()).toEqual([false, true]);
    expect(await state(user)).toEqual({ devices: [], defaultMethod: null, codes: 0 });
  });

  test("of the last app keeps the phone and the codes, and clears the default", async () => {
    const user = await newUser(pools.db);
    const phone = await verified(user, await addedSms(pools.db, user));
    const app = await verified(user, await addedOtp(pools.db, user));
    await withCodes(user);
    expect(await remove(user, app)).toMatchObject({ mfaOff: false });
    expect(await state(user)).toEqual({ devices: [phone.id], defaultMethod: null, codes: 2 });
  });

  test("of everything leaves nothing, and gives the same answer when repeated", async () => {
    const user = await newUser(pools.db);
    const phone = await verified(user, await addedSms(pools.db, user));
    const app = await addedOtp(pools.db, user);
    await withCodes(user);
    const event = eventOf(user, "devices_removed");
    const answers = await burst(pools, 6, (db) => removeAll(user, db, event));
    for (const { removed } of answers) {
      expect(new Set(removed.map(({ id }) => id))).toEqual(new Set([phone.id, app.id]));
      expect(removed).toContainEqual({ id: phone.id, type: "sms" });
    }
    expect(await state(user)).toEqual({ devices: [], defaultMethod: null, codes: 0 });
    const { events } = await listEvents(pools.db, {
      userId: user.id,
      types: ["devices_removed"],
      limit: 10,
    });
    expect(events).toHaveLength(1);
  });

  test("and verification of the same devices at once end in one order or the other", async () => {
    for (let round = 0; round < 5; round++) {
      const user = await newUser(pools.db);
      const devices = [await addedSms(pools.db, user), await addedOtp(pools.db, user)];
      await Promise.all([
        ...devices.map((device) =>
          verifyDevice(
            pools.db,
            { userId: user.id, deviceId: device.id, at: AT, makeDefault: true },
            eventOf(user),
          ),
        ),
        removeAll(user, pools.other),
      ]);
      expect(await state(user)).toEqual({ devices: [], defaultMethod: null, codes: 0 });
    }
  });
});
