import { createHash } from "node:crypto";
import { and, asc, count, eq, isNull, notLike, sql } from "drizzle-orm";
import { maskPhoneNumber } from "../phones.ts";
import type { Db } from "./connect.ts";
import { type NewEvent, recordEvent } from "./events/events.ts";
import { type Held, holdingUser } from "./holding-user.ts";
import { prepared } from "./prepared.ts";
import { type Device, devices, users } from "./schema.ts";
import { credentialOf } from "./webauthn-credentials.ts";

/** The name of a device wherever it is shown: its nickname, or the masked number. */
export const deviceLabel = ({ name, phoneNumber }: Pick<Device, "name" | "phoneNumber">): string =>
  name ?? maskPhoneNumber(phoneNumber ?? "");

/** Adds the device's name to the event, because the device may be gone when somebody reads it. */
const naming = (event: NewEvent, device: Device): NewEvent => ({
  ...event,
  detail: { ...event.detail, device: deviceLabel(device) },
});

/** Adds the user's only SMS device, unverified; "exists" if there already is one. */
export async function addSmsDevice(
  db: Db,
  device: { id: string; userId: string; countryCode: string; phoneNumber: string; at: Date },
  event: NewEvent,
): Promise<Device | "exists"> {
  const { at: createdAt, ...rest } = device;
  return holdingUser(db, device.userId, async (tx) => {
    const [added] = await tx
      .insert(devices)
      .values({ type: "sms", ...rest, createdAt })
      // Not a parameter: a plan for any value could not use the partial index.
      .onConflictDoNothing({ target: devices.userId, where: sql`${devices.type} = 'sms'` })
      .returning();
    if (!added) {
      return "exists";
    }
    await recordEvent(tx, naming(event, added));
    return added;
  });
}

/** An app with its sealed secret, or a security key. */
export type NamedDevice = { id: string; name: string } & (
  | { type: "otp"; secret: string }
  | { type: "webauthn" }
);

/** Adds an unverified device that has a nickname; "too_many" beyond the limit of its kind. */
export async function addNamedDevice(
  db: Db,
  device: NamedDevice & { userId: string; at: Date },
  limit: number,
  event: NewEvent,
): Promise<Device | "too_many"> {
  const { at: createdAt, ...rest } = device;
  return holdingUser(db, device.userId, async (tx) => {
    const [found] = await tx
      .select({ devices: count() })
      .from(devices)
      .where(and(eq(devices.userId, device.userId), eq(devices.type, device.type)));
    if (found && found.devices >= limit) {
      return "too_many";
    }
    const [added] = await tx
      .insert(devices)
      .values({ ...rest, createdAt })
      .returning();
    await recordEvent(tx, naming(event, added as Device));
    return added as Device;
  });
}

const devicesOfUser = prepared((db) =>
  db
    .select()
    .from(devices)
    .where(eq(devices.userId, sql.placeholder("userId")))
    .orderBy(asc(devices.createdAt), asc(devices.id))
    .prepare("devices_of_user"),
);

/** The user's devices in the order they were added. */
export function listDevices(db: Db, userId: string): Promise<Device[]> {
  return devicesOfUser(db).execute({ userId });
}

/** The device, if it belongs to this user. */
export async function getDevice(
  db: Db,
  userId: string,
  deviceId: string,
): Promise<Device | undefined> {
  const [device] = await db.select().from(devices).where(isDevice(userId, deviceId));
  return device;
}

/**
 * Marks the device as verified, or as inactive, and makes its kind the user's default method if
 * asked. Answers "already" if that was done before, "gone" if the device was removed. Answers
 * "overtaken" if the proof no longer applies: the session had no second factor (`alone`) but the
 * user now has one, the secret or credential changed since (`sealedAs`), or `inactive` no longer fits
 * whether the user has a verified device.
 */
export async function verifyDevice(
  db: Db,
  verification: {
    userId: string;
    deviceId: string;
    at: Date;
    makeDefault: boolean;
    inactive?: boolean;
    alone?: boolean;
    sealedAs?: string;
  },
  event: NewEvent,
): Promise<"verified" | "already" | "gone" | "overtaken"> {
  const { userId, deviceId, at, makeDefault, inactive, alone, sealedAs } = verification;
  return holdingUser(db, userId, async (tx) => {
    const known = await listDevices(tx, userId);
    const device = known.find(({ id }) => id === deviceId);
    if (!device) return "gone";
    if (device.verifiedAt ?? device.inactiveAt) return "already";
    const isEnabled = known.some(({ verifiedAt }) => verifiedAt !== null);
    const isAnother = sealedAs !== undefined && (await currentMark(tx, device)) !== sealedAs;
    const isInactiveOutdated = inactive !== undefined && inactive === isEnabled;
    if ((alone && isEnabled) || isAnother || isInactiveOutdated) return "overtaken";
    const [verified] = await tx
      .update(devices)
      .set(inactive ? { inactiveAt: at } : { verifiedAt: at })
      .where(and(isDevice(userId, deviceId), isUnproven))
      .returning();
    if (!verified) return "gone";
    if (makeDefault) {
      await tx.update(users).set({ defaultMethod: verified.type }).where(eq(users.id, userId));
    }
    await recordEvent(tx, naming(event, verified));
    return "verified";
  });
}

/** A mark of a sealed secret or a credential ID. It tells them apart without revealing them. */
export const markOf = (secret: string): string =>
  createHash("sha256").update(secret).digest("hex").slice(0, 16);

async function currentMark(db: Db, { id, type, secret }: Device): Promise<string | undefined> {
  const proven = type === "webauthn" ? (await credentialOf(db, id))?.credentialId : secret;
  return proven ? markOf(proven) : undefined;
}

/** Gives the device another nickname. */
export async function renameDevice(
  tx: Held,
  { id, userId }: Device,
  name: string,
  event: NewEvent,
): Promise<void> {
  const [renamed] = await tx.update(devices).set({ name }).where(isDevice(userId, id)).returning();
  if (renamed) await recordEvent(tx, naming(event, renamed));
}

/** Drops a device that was never verified; false if it was verified or removed in the meantime. */
export async function removeUnverifiedDevice(
  db: Db,
  { userId, deviceId }: { userId: string; deviceId: string },
  event: NewEvent,
): Promise<boolean> {
  return holdingUser(db, userId, async (tx) => {
    const [removed] = await tx
      .delete(devices)
      .where(and(isDevice(userId, deviceId), isUnproven))
      .returning();
    return removed !== undefined && (await recordEvent(tx, naming(event, removed)));
  });
}

/**
 * Restarts the set-up of an unverified OTP device with a new sealed secret; undefined if there is
 * none.
 */
export async function replaceOtpSecret(
  db: Db,
  { userId, deviceId, secret }: { userId: string; deviceId: string; secret: string },
  event: NewEvent,
): Promise<Device | undefined> {
  return holdingUser(db, userId, async (tx) => {
    const [device] = await tx
      .update(devices)
      .set({ secret })
      .where(and(isDevice(userId, deviceId), eq(devices.type, "otp"), isUnproven))
      .returning();
    if (device) {
      await recordEvent(tx, naming(event, device));
    }
    return device;
  });
}

/**
 * Secrets that are sealed with another key than this one. Once all are re-sealed, none are left.
 */
export async function listSecretsNotSealedWith(
  db: Db,
  keyId: string,
  limit: number,
): Promise<{ id: string; secret: string }[]> {
  const rows = await db
    .select({ id: devices.id, secret: devices.secret })
    .from(devices)
    .where(notLike(devices.secret, `v1.${keyId}.%`))
    .limit(limit);
  return rows.flatMap(({ id, secret }) => (secret === null ? [] : { id, secret }));
}

/** Replaces a sealed secret unless somebody else has changed it in the meantime. */
export async function updateSecret(
  db: Db,
  { deviceId, from, to }: { deviceId: string; from: string; to: string },
): Promise<boolean> {
  const updated = await db
    .update(devices)
    .set({ secret: to })
    .where(and(eq(devices.id, deviceId), eq(devices.secret, from)))
    .returning({ id: devices.id });
  return updated.length > 0;
}

/** Neither verified nor inactive. */
export const isUnproven = and(isNull(devices.verifiedAt), isNull(devices.inactiveAt));

export function isDevice(userId: string, deviceId: string) {
  return and(eq(devices.userId, userId), eq(devices.id, deviceId));
}
