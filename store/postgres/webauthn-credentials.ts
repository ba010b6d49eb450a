import { and, eq, isNotNull, ne, or, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import type { Held } from "./holding-user.ts";
import { type Device, devices, type WebauthnCredential, webauthnCredentials } from "./schema.ts";

/** A verified security key or passkey, with its device. */
export type VerifiedKey = { device: Device; credential: WebauthnCredential };

const keysWhere = (db: Db, condition: ReturnType<typeof eq>) =>
  db
    .select({ device: devices, credential: webauthnCredentials })
    .from(webauthnCredentials)
    .innerJoin(devices, eq(devices.id, webauthnCredentials.deviceId))
    .where(and(condition, isNotNull(devices.verifiedAt)));

/** The user's verified keys. */
export function verifiedKeysOf(db: Db, userId: string): Promise<VerifiedKey[]> {
  return keysWhere(db, eq(devices.userId, userId));
}

/** The verified key with this credential ID, whoever owns it. */
export async function verifiedKeyOf(
  db: Db,
  credentialId: string,
): Promise<VerifiedKey | undefined> {
  const [key] = await keysWhere(db, eq(webauthnCredentials.credentialId, credentialId));
  return key;
}

/** The credential IDs of all the user's keys, verified or not. */
export async function credentialIdsOf(db: Db, userId: string): Promise<string[]> {
  const found = await db
    .select({ id: webauthnCredentials.credentialId })
    .from(webauthnCredentials)
    .innerJoin(devices, eq(devices.id, webauthnCredentials.deviceId))
    .where(eq(devices.userId, userId));
  return found.map(({ id }) => id);
}

/** What the device's authenticator has given us; undefined before that. */
export async function credentialOf(
  db: Db,
  deviceId: string,
): Promise<WebauthnCredential | undefined> {
  const [credential] = await db
    .select()
    .from(webauthnCredentials)
    .where(eq(webauthnCredentials.deviceId, deviceId));
  return credential;
}

/**
 * Stores the credential of a device that is not verified yet, in place of an earlier one; false if
 * any user has it registered already (Web Authentication Level 3, 7.1, step 27).
 */
export async function storeCredential(tx: Held, credential: WebauthnCredential): Promise<boolean> {
  const { deviceId, ...values } = credential;
  const isOthers = and(
    eq(webauthnCredentials.credentialId, credential.credentialId),
    ne(webauthnCredentials.deviceId, deviceId),
  );
  const [taken] = await tx.select().from(webauthnCredentials).where(isOthers);
  if (taken) return false;
  await tx.delete(webauthnCredentials).where(eq(webauthnCredentials.deviceId, deviceId));
  const stored = await tx
    .insert(webauthnCredentials)
    .values({ deviceId, ...values })
    // Somebody else may store it at the same moment.
    .onConflictDoNothing()
    .returning({ deviceId: webauthnCredentials.deviceId });
  return stored.length > 0;
}

/**
 * Stores the counter of an assertion whose signature was right, and whether the key is backed up.
 * False if the counter is not above the stored one: there may be a copy of the key (Web
 * Authentication Level 3, 6.1.1). Keys that never count always answer 0, which is fine.
 */
export async function storeUse(
  db: Db,
  { deviceId, counter, backedUp }: Pick<WebauthnCredential, "deviceId" | "counter" | "backedUp">,
): Promise<boolean> {
  const isAhead = sql`${webauthnCredentials.counter} < ${counter}`;
  const neverCounts = sql`${webauthnCredentials.counter} = 0 and ${counter} = 0`;
  const stored = await db
    .update(webauthnCredentials)
    .set({ counter, backedUp })
    .where(and(eq(webauthnCredentials.deviceId, deviceId), or(isAhead, neverCounts)))
    .returning({ deviceId: webauthnCredentials.deviceId });
  return stored.length > 0;
}
