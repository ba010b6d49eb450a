import { and, eq, isNotNull, ne, or, type SQL, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import type { Held } from "./holding-user.ts";
import { prepared } from "./prepared.ts";
import { type Device, devices, type WebauthnCredential, webauthnCredentials } from "./schema.ts";

/** A verified security key or passkey, with its device. */
export type VerifiedKey = { device: Device; credential: WebauthnCredential };

const verifiedKeys = (db: Db, condition: SQL) =>
  db
    .select({ device: devices, credential: webauthnCredentials })
    .from(webauthnCredentials)
    .innerJoin(devices, eq(devices.id, webauthnCredentials.deviceId))
    .where(and(condition, isNotNull(devices.verifiedAt)));

const keysOfUser = prepared((db) =>
  verifiedKeys(db, eq(devices.userId, sql.placeholder("userId"))).prepare("keys_of_user"),
);

const keyOfCredential = prepared((db) => {
  const isIt = eq(webauthnCredentials.credentialId, sql.placeholder("credentialId"));
  return verifiedKeys(db, isIt).prepare("key_of_credential");
});

/** The user's verified keys. */
export function verifiedKeysOf(db: Db, userId: string): Promise<VerifiedKey[]> {
  return keysOfUser(db).execute({ userId });
}

/** The verified key with this credential ID, whoever owns it. */
export async function verifiedKeyOf(
  db: Db,
  credentialId: string,
): Promise<VerifiedKey | undefined> {
  const [key] = await keyOfCredential(db).execute({ credentialId });
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

const keyUse = prepared((db) => {
  const counter = sql`${sql.placeholder("counter")}::bigint`;
  const { counter: stored } = webauthnCredentials;
  return db
    .update(webauthnCredentials)
    .set({
      counter,
      backedUp: sql`${sql.placeholder("backedUp")}::boolean`,
      // Once true it stays so, whatever a login at the same time says.
      uvInitialized: sql`${webauthnCredentials.uvInitialized} or ${sql.placeholder("uvInitialized")}::boolean`,
    })
    .where(
      and(
        eq(webauthnCredentials.deviceId, sql.placeholder("deviceId")),
        or(sql`${stored} < ${counter}`, sql`${stored} = 0 and ${counter} = 0`),
      ),
    )
    .returning({ deviceId: webauthnCredentials.deviceId })
    .prepare("key_use");
});

/**
 * Stores the counter of an assertion whose signature was right, whether the key is backed up, and
 * that unlocking it counts as a factor from now on.
 * False if the counter is not above the stored one: there may be a copy of the key (Web
 * Authentication Level 3, 6.1.1). Keys that never count always answer 0, which is fine.
 */
export async function storeUse(
  db: Db,
  use: Pick<WebauthnCredential, "deviceId" | "counter" | "backedUp" | "uvInitialized">,
): Promise<boolean> {
  return (await keyUse(db).execute(use)).length > 0;
}
