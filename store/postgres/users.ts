import { eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { newId } from "../ids.ts";
import type { Method } from "../methods.ts";
import { enforceUsername } from "../usernames.ts";
import type { Db } from "./connect.ts";
import {
  findEvent,
  type NewEvent,
  type NewUserEvent,
  recordEvent,
  recordingEvent,
  withDefaults,
} from "./events/events.ts";
import { holdingUser } from "./holding-user.ts";
import { prepared } from "./prepared.ts";
import { devices, type Role, type User, type UserRequirement, users } from "./schema.ts";

const { passwordHash, ...columns } = getTableColumns(users);

/** The columns of a `User`: all except the password's hash. */
export const userColumns = columns;

/**
 * The normal form of a user name, as it is stored and looked up: by the PRECIS profile (RFC 8265).
 * A name that the profile refuses is normalised by NFKC and lower case instead, as older names were
 * stored; any other refused name matches no user.
 */
export function normalizeUsername(username: string): string {
  return enforceUsername(username) ?? username.normalize("NFKC").toLowerCase().trim();
}

/** Creates a user; "exists" if the user name is taken in any account. */
export async function createUser(
  db: Db,
  user: {
    accountId: string;
    username: string;
    email?: string;
    passwordHash: string;
    role: Role;
    at: Date;
  },
  event?: Omit<NewEvent, "userId">,
): Promise<User | "exists"> {
  const { at: createdAt, username, ...rest } = user;
  return db.transaction(async (tx) => {
    const [created] = await tx
      .insert(users)
      .values({ id: newId(), username: normalizeUsername(username), ...rest, createdAt })
      .onConflictDoNothing({ target: users.username })
      .returning(userColumns);
    if (created && event) {
      await recordEvent(tx, { ...event, userId: created.id });
    }
    return created ?? "exists";
  });
}

export async function getUser(db: Db, userId: string): Promise<User | undefined> {
  const [user] = await db.select(userColumns).from(users).where(eq(users.id, userId));
  return user;
}

const userOfName = prepared((db) =>
  db
    .select({ ...userColumns, passwordHash })
    .from(users)
    .where(eq(users.username, sql.placeholder("username")))
    .prepare("user_of_name"),
);

/** A user with the password's hash. */
export type Credentialed = User & { passwordHash: string };

/** The user of this name, with the password's hash. */
export async function findUserByUsername(
  db: Db,
  username: string,
): Promise<Credentialed | undefined> {
  const [user] = await userOfName(db).execute({ username: normalizeUsername(username) });
  return user;
}

const loginRecord = prepared((db) => {
  const { placeholder } = sql;
  return db
    .with(
      ...recordingEvent(db),
      db.$with("used").as(
        db
          .update(devices)
          .set({ lastUsedAt: sql`${sql.param(placeholder("at"), devices.lastUsedAt)}` })
          .where(sql`${devices.userId} = ${placeholder("userId")} and
            (${devices.id} = ${placeholder("deviceId")} or ${devices.type} = ${placeholder("kind")})`)
          .returning({ id: devices.id }),
      ),
    )
    .update(users)
    .set({ lastLoginAt: sql`${sql.param(placeholder("at"), users.lastLoginAt)}` })
    .where(eq(users.id, placeholder("userId")))
    .returning(userColumns)
    .prepare("login_record");
});

/**
 * Records in one statement that a user has logged in: the event, once even if it is repeated, and
 * its time as the last login of the user and, if one was used, of the device: an app or a key by
 * its ID, or the user's only phone. Answers the user as they are now.
 */
export async function recordLoginEvent(
  db: Db,
  event: NewUserEvent,
  { deviceId = null, phone = false }: { deviceId?: string | null; phone?: boolean } = {},
): Promise<User | undefined> {
  const used = { deviceId, kind: phone ? "sms" : null };
  const [user] = await loginRecord(db).execute({ ...withDefaults(event), ...used });
  return user;
}

/** Changes a user's role; false if nothing changed. The event holds the previous role too. */
export function setRole(
  db: Db,
  { userId, role }: { userId: string; role: Role },
  event: NewEvent,
): Promise<boolean> {
  return holdingUser(db, userId, async (tx) => {
    const from = (await getUser(tx, userId))?.role;
    const detail = { ...event.detail, from };
    return change(tx, userId, { role }, sql`${users.role} <> ${role}`, { ...event, detail });
  });
}

/**
 * Sets the method that a login starts with; false if nothing changed. The caller has checked that
 * the method is configured.
 */
export function setDefaultMethod(
  db: Db,
  { userId, method }: { userId: string; method: Method },
  event: NewEvent,
): Promise<boolean> {
  const differs = sql`${users.defaultMethod} is distinct from ${method}`;
  return change(db, userId, { defaultMethod: method }, differs, event);
}

/** Changes the user's address for notices, or removes it; false if nothing changed. */
export function setEmail(
  db: Db,
  { userId, email }: { userId: string; email: string | null },
  event: NewEvent,
): Promise<boolean> {
  return change(db, userId, { email }, sql`${users.email} is distinct from ${email}`, event);
}

/** Gives the user a requirement of their own, or with null none; false if nothing changed. */
export function setRequirement(
  db: Db,
  { userId, requirement }: { userId: string; requirement: UserRequirement | null },
  event: NewEvent,
): Promise<boolean> {
  const differs = sql`${users.requirement} is distinct from ${requirement}`;
  return change(db, userId, { requirement }, differs, event);
}

/** Locks the user; false if they were already locked. */
export function lockUser(
  db: Db,
  { userId, at }: { userId: string; at: Date },
  event: NewEvent,
): Promise<boolean> {
  return change(db, userId, { lockedAt: at }, sql`${users.lockedAt} is null`, event);
}

/** Ends the user's lock, or only the lock set at `since`; false if there was none. */
export function unlockUser(
  db: Db,
  userId: string,
  event: NewEvent,
  since?: Date,
): Promise<boolean> {
  const isLocked = since ? eq(users.lockedAt, since) : sql`${users.lockedAt} is not null`;
  return change(db, userId, { lockedAt: null }, isLocked, event);
}

/** Replaces the hash of the user's password; false if `replaces` is no longer the current hash. */
export function setPassword(
  db: Db,
  {
    userId,
    passwordHash: to,
    replaces,
  }: { userId: string; passwordHash: string; replaces?: string },
  event: NewEvent,
): Promise<boolean> {
  const isTheirs = replaces === undefined ? sql`true` : eq(passwordHash, replaces);
  return change(db, userId, { passwordHash: to }, isTheirs, event);
}

/**
 * Changes the user, together with the event, if that makes a difference. Does nothing if the event
 * was recorded before.
 */
function change(
  db: Db,
  userId: string,
  values: Partial<typeof users.$inferInsert>,
  makesDifference: SQL,
  event: NewEvent,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    // A late retry must not repeat a change that was undone since.
    if (await findEvent(tx, event.key)) return false;
    const changed = await tx
      .update(users)
      .set(values)
      .where(sql`${users.id} = ${userId} and ${makesDifference}`)
      .returning({ id: users.id });
    return changed.length > 0 && (await recordEvent(tx, event));
  });
}
