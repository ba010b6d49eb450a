import { and, eq, isNotNull } from "drizzle-orm";
import { configuredMethods, type Method } from "../methods.ts";
import { deviceLabel, getDevice, isDevice, listDevices } from "./devices.ts";
import { findEvent, type NewEvent, recordEvent } from "./events/events.ts";
import type { Held } from "./holding-user.ts";
import { devices, recoveryCodes, users } from "./schema.ts";

/**
 * What was removed, and whether that turned multi-factor authentication off, or took a verified
 * security key: the last one, or another is left.
 */
export type Removal = {
  removed: { id: string; type: Method }[];
  mfaOff: boolean;
  keyRemoved?: "last" | "another_left";
};

/**
 * Removes any device but a verified phone. If no verified device is left, multi-factor
 * authentication is off and the recovery codes are void. A verified SMS device can only be removed
 * with all devices: "remove_all_required". Repeating the same event answers the same.
 */
export async function removeDevice(
  tx: Held,
  { userId, deviceId }: { userId: string; deviceId: string },
  event: NewEvent,
): Promise<Removal | "gone" | "remove_all_required"> {
  return once(tx, event, async () => {
    const device = await getDevice(tx, userId, deviceId);
    if (!device) {
      return "gone";
    }
    const { id, type, verifiedAt } = device;
    if (type === "sms" && verifiedAt) {
      return "remove_all_required";
    }
    await tx.delete(devices).where(isDevice(userId, deviceId));
    const left = configuredMethods(await listDevices(tx, userId));
    const mfaOff = verifiedAt !== null && left.length === 0;
    if (mfaOff) {
      await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    }
    if (!left.includes(type)) {
      await tx
        .update(users)
        .set({ defaultMethod: null })
        .where(and(eq(users.id, userId), eq(users.defaultMethod, type)));
    }
    const isKey = type === "webauthn" && verifiedAt !== null;
    const keyRemoved = left.includes(type) ? ("another_left" as const) : ("last" as const);
    const removal = { removed: [{ id, type }], mfaOff, ...(isKey && { keyRemoved }) };
    return { removal, names: [deviceLabel(device)] };
  });
}

/**
 * Turns multi-factor authentication off: removes every device, makes the recovery codes void,
 * forgets the default method. Repeating the same event answers the same. If there was no device, a
 * user's own removal leaves no event; a reset always leaves one.
 */
export async function removeAllDevices(
  tx: Held,
  userId: string,
  event: NewEvent,
): Promise<Removal> {
  return once<never>(tx, event, async () => {
    const [verified] = await tx
      .select({ id: devices.id })
      .from(devices)
      .where(and(eq(devices.userId, userId), isNotNull(devices.verifiedAt)))
      .limit(1);
    const removed = await tx.delete(devices).where(eq(devices.userId, userId)).returning();
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    await tx.update(users).set({ defaultMethod: null }).where(eq(users.id, userId));
    return {
      removal: {
        removed: removed.map(({ id, type }) => ({ id, type })),
        mfaOff: verified !== undefined,
      },
      names: removed.map(deviceLabel),
    };
  });
}

/** A removal, and the names of the removed devices, which are only for the event. */
type Removed = { removal: Removal; names: string[] };

/**
 * Runs a removal and records its event. If the event was recorded before, answers what it did then.
 */
async function once<Refusal extends string>(
  tx: Held,
  event: NewEvent,
  remove: () => Promise<Removed | Refusal>,
): Promise<Removal | Refusal> {
  const recorded = await findEvent(tx, event.key);
  if (recorded) {
    const { removed, mfaOff, keyRemoved } = recorded.detail as Removal;
    return { removed, mfaOff, ...(keyRemoved && { keyRemoved }) };
  }
  const outcome = await remove();
  if (typeof outcome === "string") return outcome;
  const { removal, names: devices } = outcome;
  // Of many removals at once, one removes the devices; the others are no events.
  if (event.type === "all_devices_removed" && removal.removed.length === 0) return removal;
  await recordEvent(tx, { ...event, detail: { ...event.detail, ...removal, devices } });
  return removal;
}
