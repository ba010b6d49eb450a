import { and, eq } from "drizzle-orm";
import { configuredMethods, type Method } from "../methods.ts";
import type { Db } from "./connect.ts";
import { getDevice, holdUser, isDevice, listDevices } from "./devices.ts";
import { findEvent, type NewEvent, recordEvent } from "./events.ts";
import { type Device, devices, recoveryCodes, users } from "./schema.ts";

/**
 * Removes an OTP device, or an unverified device of either kind. Without a verified device left
 * multi-factor authentication is off (`mfaOff`) and the recovery codes are void. A verified SMS
 * device goes only with all devices: "remove_all_required".
 */
export async function removeDevice(
  db: Db,
  { userId, deviceId }: { userId: string; deviceId: string },
  event: NewEvent,
): Promise<{ device: Device; mfaOff: boolean } | "gone" | "remove_all_required"> {
  return db.transaction(async (tx) => {
    await holdUser(tx, userId);
    const device = await getDevice(tx, userId, deviceId);
    if (!device) {
      return "gone";
    }
    if (device.type === "sms" && device.verifiedAt) {
      return "remove_all_required";
    }
    await tx.delete(devices).where(isDevice(userId, deviceId));
    const left = configuredMethods(await listDevices(tx, userId));
    const mfaOff = device.verifiedAt !== null && left.length === 0;
    if (mfaOff) {
      await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    }
    if (!left.includes(device.type)) {
      await tx
        .update(users)
        .set({ defaultMethod: null })
        .where(and(eq(users.id, userId), eq(users.defaultMethod, device.type)));
    }
    await recordEvent(tx, event);
    return { device, mfaOff };
  });
}

export type RemovedDevice = { id: string; type: Method };

/**
 * Turns multi-factor authentication off: removes every device, voids the recovery codes, forgets
 * the default method. Answers what was removed, the same again when the same event is told again.
 */
export async function removeAllDevices(
  db: Db,
  userId: string,
  event: NewEvent,
): Promise<RemovedDevice[]> {
  return db.transaction(async (tx) => {
    await holdUser(tx, userId);
    const told = await findEvent(tx, event.key);
    if (told) {
      return told.detail.removed as RemovedDevice[];
    }
    const removed = await tx
      .delete(devices)
      .where(eq(devices.userId, userId))
      .returning({ id: devices.id, type: devices.type });
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    await tx.update(users).set({ defaultMethod: null }).where(eq(users.id, userId));
    await recordEvent(tx, { ...event, detail: { ...event.detail, removed } });
    return removed;
  });
}
