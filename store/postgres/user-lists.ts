import {
  and,
  asc,
  countDistinct,
  eq,
  gt,
  isNotNull,
  isNull,
  like,
  lt,
  notExists,
  type SQL,
  sql,
} from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { Method } from "../methods.ts";
import { enforcedBy } from "../requirement.ts";
import type { Db } from "./connect.ts";
import { type Account, devices, type User, users } from "./schema.ts";
import { normalizeUsername, userColumns } from "./users.ts";

/** A user with the methods of their verified devices, and how many of these are keys. */
export type ListedUser = { user: User; methods: Method[]; keys: number };

const verifiedDevices = and(eq(devices.userId, users.id), isNotNull(devices.verifiedAt));
const isKey = eq(devices.type, "webauthn");
/** The account's requirement applies to the user. */
const isBound = sql`${users.requirement} is distinct from 'optional'`;

/** Which users are listed: those without a device, or those with fewer than two keys. */
type Only = "unconfigured" | "at_risk";

/**
 * A page of an account's users, sorted by user name; `next` is the cursor of the next page. Reads
 * the page from an index, and not the rest of the account.
 */
export async function listUsers(
  db: Db,
  query: { accountId: string; after?: string; limit: number; only?: Only },
): Promise<{ users: ListedUser[]; next?: string }> {
  const methods = db
    .select({ methods: sql`coalesce(array_agg(distinct ${devices.type}), '{}')` })
    .from(devices)
    .where(verifiedDevices);
  const keys = db.select({ keys: sql`count(*)` }).from(devices).where(and(verifiedDevices, isKey));
  const keyCount = sql<number>`(${keys})`.mapWith(Number);
  const conditions = {
    unconfigured: notExists(db.select({ id: devices.id }).from(devices).where(verifiedDevices)),
    at_risk: and(isBound, lt(keyCount, 2)),
  };
  const rows = await db
    .select({ user: userColumns, methods: sql<Method[]>`(${methods})`, keys: keyCount })
    .from(users)
    .where(
      and(
        eq(users.accountId, query.accountId),
        query.after === undefined ? undefined : gt(users.username, query.after),
        query.only && conditions[query.only],
      ),
    )
    .orderBy(asc(users.username))
    .limit(query.limit + 1);
  const page = rows.slice(0, query.limit);
  return {
    users: page,
    next: rows.length > query.limit ? page.at(-1)?.user.username : undefined,
  };
}

/**
 * An account's users in numbers. `configured` have what the account asks for: a verified device, or a
 * key if it asks for one. `toGo` have not, and are not exempt. `withoutDevice` and `withoutKey` would
 * be to go under a requirement of either.
 */
export type UserCounts = {
  total: number;
  configured: number;
  toGo: number;
  withoutDevice: number;
  withoutKey: number;
};

/** Counts the account's users, by what its requirement asks of them. */
export async function countUsers(
  db: Db,
  { id, requirement }: Pick<Account, "id" | "requirement">,
): Promise<UserCounts> {
  const [counts] = await db
    .select({
      total: countDistinct(users.id),
      withDevice: countDistinct(devices.userId),
      withKey: countWhere(devices.userId, isKey),
      withoutDevice: countWhere(users.id, and(isBound, isNull(devices.id))),
      bound: countWhere(users.id, isBound),
      boundWithKey: countWhere(users.id, and(isBound, isKey)),
    })
    .from(users)
    .leftJoin(devices, verifiedDevices)
    .where(eq(users.accountId, id));
  if (!counts) throw new Error("A count without a row");
  const { total, withDevice, withKey, withoutDevice, bound, boundWithKey } = counts;
  const withoutKey = bound - boundWithKey;
  const needsKey = enforcedBy({ requirement }) === "key";
  return {
    total,
    configured: needsKey ? withKey : withDevice,
    toGo: needsKey ? withoutKey : withoutDevice,
    withoutDevice,
    withoutKey,
  };
}

const countWhere = (column: AnyPgColumn, condition: SQL | undefined) =>
  sql<number>`count(distinct ${column}) filter (where ${condition})`.mapWith(Number);

/** The first user names of the account's administrators who have no key, in alphabetical order. */
export async function administratorsWithoutKey(
  db: Db,
  accountId: string,
  limit: number,
): Promise<string[]> {
  const keys = db.select({ id: devices.id }).from(devices).where(and(verifiedDevices, isKey));
  const found = await db
    .select({ username: users.username })
    .from(users)
    .where(
      and(
        eq(users.accountId, accountId),
        eq(users.role, "administrator"),
        isBound,
        notExists(keys),
      ),
    )
    .orderBy(asc(users.username))
    .limit(limit);
  return found.map(({ username }) => username);
}

/** Users of any account whose user name starts with the text, in alphabetical order. */
export async function searchUsers(db: Db, start: string, limit: number): Promise<User[]> {
  const pattern = `${normalizeUsername(start).replace(/[\\%_]/g, "\\$&")}%`;
  return db
    .select(userColumns)
    .from(users)
    .where(like(users.username, pattern))
    .orderBy(asc(users.username))
    .limit(limit);
}
