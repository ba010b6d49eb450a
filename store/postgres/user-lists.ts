import { and, asc, countDistinct, eq, gt, isNotNull, like, notExists, sql } from "drizzle-orm";
import type { Method } from "../methods.ts";
import type { Db } from "./connect.ts";
import { devices, type User, users } from "./schema.ts";
import { normalizeUsername, userColumns } from "./users.ts";

/** A user with the methods of their verified devices. */
export type ListedUser = { user: User; methods: Method[] };

const verifiedDevices = and(eq(devices.userId, users.id), isNotNull(devices.verifiedAt));

/**
 * A page of an account's users, sorted by user name; `next` is the cursor of the next page. Reads
 * the page from an index, and not the rest of the account.
 */
export async function listUsers(
  db: Db,
  query: { accountId: string; after?: string; limit: number; onlyUnconfigured?: boolean },
): Promise<{ users: ListedUser[]; next?: string }> {
  const methods = db
    .select({ methods: sql`coalesce(array_agg(distinct ${devices.type}), '{}')` })
    .from(devices)
    .where(verifiedDevices);
  const unconfigured = notExists(
    db.select({ id: devices.id }).from(devices).where(verifiedDevices),
  );
  const rows = await db
    .select({ user: userColumns, methods: sql<Method[]>`(${methods})` })
    .from(users)
    .where(
      and(
        eq(users.accountId, query.accountId),
        query.after === undefined ? undefined : gt(users.username, query.after),
        query.onlyUnconfigured ? unconfigured : undefined,
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
 * How many users the account has, how many of them have a verified device (`configured`), and how
 * many of the others are not exempt from the account's requirement (`toGo`).
 */
export async function countUsers(
  db: Db,
  accountId: string,
): Promise<{ total: number; configured: number; toGo: number }> {
  const [counts] = await db
    .select({
      total: countDistinct(users.id),
      configured: countDistinct(devices.userId),
      toGo: sql<number>`count(*) filter (where ${devices.id} is null and ${users.requirement} is distinct from 'optional')`.mapWith(
        Number,
      ),
    })
    .from(users)
    .leftJoin(devices, verifiedDevices)
    .where(eq(users.accountId, accountId));
  return counts ?? { total: 0, configured: 0, toGo: 0 };
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
