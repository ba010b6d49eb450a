import { asc, eq, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { prepared } from "./prepared.ts";
import {
  type Account,
  accounts,
  type Device,
  devices,
  type User,
  users,
  webauthnCredentials,
} from "./schema.ts";
import { type Credentialed, userColumns } from "./users.ts";
import type { VerifiedKey } from "./webauthn-credentials.ts";

export type MfaProfile = {
  user: User;
  account: Account;
  devices: Device[];
  /** The devices among them that are verified security keys or passkeys. */
  keys: VerifiedKey[];
};

const profileOfUser = prepared((db) =>
  db
    .select({
      user: userColumns,
      account: accounts,
      device: devices,
      credential: webauthnCredentials,
      hasPassword: sql<boolean>`${users.passwordHash} = ${sql.placeholder("passwordHash")}`,
    })
    .from(users)
    .innerJoin(accounts, eq(accounts.id, users.accountId))
    .leftJoin(devices, eq(devices.userId, users.id))
    .leftJoin(webauthnCredentials, eq(webauthnCredentials.deviceId, devices.id))
    .where(eq(users.id, sql.placeholder("userId")))
    .orderBy(asc(devices.createdAt), asc(devices.id))
    .prepare("profile_of_user"),
);

/** The user, their account, and their devices in the order they were added, in one query. */
export async function getMfaProfile(db: Db, userId: string): Promise<MfaProfile | undefined> {
  return (await readProfile(db, { id: userId, passwordHash: "" }))?.profile;
}

/**
 * Everything that decides how a login continues; undefined if the user's password has changed
 * meanwhile.
 */
export async function getLoginProfile(
  db: Db,
  user: Pick<Credentialed, "id" | "passwordHash">,
): Promise<MfaProfile | undefined> {
  const read = await readProfile(db, user);
  return read?.hasPassword ? read.profile : undefined;
}

async function readProfile(
  db: Db,
  { id: userId, passwordHash }: Pick<Credentialed, "id" | "passwordHash">,
): Promise<{ profile: MfaProfile; hasPassword: boolean } | undefined> {
  const rows = await profileOfUser(db).execute({ userId, passwordHash });
  const [first] = rows;
  if (!first) return undefined;
  const { user, account, hasPassword } = first;
  const owned = rows.flatMap(({ device, credential }) => (device ? [{ device, credential }] : []));
  const keys = owned.flatMap(({ device, credential }) =>
    device.verifiedAt && credential ? [{ device, credential }] : [],
  );
  return {
    profile: { user, account, devices: owned.map(({ device }) => device), keys },
    hasPassword,
  };
}
