import { afterAll, beforeAll } from "vitest";
import { newId } from "../../../store/ids.ts";
import { createAccount } from "../../../store/postgres/accounts.ts";
import { connectDatabase, type Db } from "../../../store/postgres/connect.ts";
import { addNamedDevice, addSmsDevice } from "../../../store/postgres/devices.ts";
import type { NewUserEvent } from "../../../store/postgres/events/events.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import { migrateDatabase } from "../../../store/postgres/migrations/migrate.ts";
import type { Account, User } from "../../../store/postgres/schema.ts";
import { createUser } from "../../../store/postgres/users.ts";
import { storeCredential } from "../../../store/postgres/webauthn-credentials.ts";
import { type DatabaseKind, freshDatabase } from "../../support/databases.ts";
import { otherType } from "../../support/event-types.ts";

export const KINDS: DatabaseKind[] = ["postgres", "pglite"];
export const AT = new Date("2026-01-01T12:00:00.123Z");

/**
 * Two pools on one fresh, migrated database, like two instances of the service, for one `describe`.
 */
export function database(kind: DatabaseKind): { readonly db: Db; readonly other: Db; url: string } {
  const opened = {} as { db: Db; other: Db; url: string };
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const { url, drop } = await freshDatabase(kind);
    await migrateDatabase(url);
    const pools = [connectDatabase(url), connectDatabase(url)] as const;
    Object.assign(opened, { db: pools[0].db, other: pools[1].db, url });
    closing.push(pools[0].close, pools[1].close, drop);
  });
  afterAll(async () => {
    for (const close of closing) await close();
  });
  return opened;
}

/** Runs the calls at once, alternating between the two pools. */
export function burst<T>(
  { db, other }: { db: Db; other: Db },
  times: number,
  call: (db: Db, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: times }, (_, index) => call(index % 2 ? other : db, index)),
  );
}

export async function newAccount(db: Db, kind: Account["kind"] = "panel"): Promise<Account> {
  const account = await createAccount(db, { name: newId(), kind, at: AT });
  if (account === "exists") throw new Error("a random name was taken");
  return account;
}

export async function newUser(db: Db, account?: Account): Promise<User> {
  const { id: accountId } = account ?? (await newAccount(db));
  const user = await createUser(db, {
    accountId,
    username: newId(),
    passwordHash: "hash",
    role: "member",
    at: AT,
  });
  if (user === "exists") throw new Error("a random name was taken");
  return user;
}

/** A new event about the user at each call. */
export function eventOf(user: Pick<User, "id" | "accountId">, type = "happened"): NewUserEvent {
  const { id: userId, accountId } = user;
  return { key: newId(), at: AT, accountId, userId, type: otherType(type) };
}

export const sms = (user: User) => ({
  id: newId(),
  userId: user.id,
  countryCode: "US",
  phoneNumber: "+12025550123",
  at: AT,
});

export const otp = (user: User, name = "Phone") => ({
  type: "otp" as const,
  id: newId(),
  userId: user.id,
  name,
  secret: `v1.k1.${newId()}`,
  at: AT,
});

export async function addedSms(db: Db, user: User) {
  const device = await addSmsDevice(db, sms(user), eventOf(user));
  if (device === "exists") throw new Error(device);
  return device;
}

export async function addedOtp(db: Db, user: User) {
  const device = await addNamedDevice(db, otp(user), 5, eventOf(user));
  if (device === "too_many") throw new Error(device);
  return device;
}

/** A credential of this device, as an authenticator without a counter would make it. */
export const credentialOf = (deviceId: string) => ({
  deviceId,
  credentialId: `credential-of-${deviceId}`,
  publicKey: "cHVibGljIGtleQ",
  counter: 0,
  aaguid: "00000000-0000-0000-0000-000000000000",
  transports: ["usb"],
  backupEligible: false,
  backedUp: false,
  uvInitialized: true,
});

/** Adds an unverified security key with its credential. */
export async function addedKey(db: Db, user: Pick<User, "id" | "accountId">) {
  const device = { type: "webauthn" as const, id: newId(), userId: user.id, name: "Key", at: AT };
  const added = await addNamedDevice(db, device, 10, eventOf(user));
  if (added === "too_many") throw new Error(added);
  await holdingUser(db, user.id, (tx) => storeCredential(tx, credentialOf(added.id)));
  return added;
}
