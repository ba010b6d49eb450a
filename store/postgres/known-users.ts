import { eq, inArray } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { accounts, type User, users } from "./schema.ts";

/** A user as they are named in an event, as its actor or as the one it is about. */
export type KnownUser = Pick<User, "username" | "role" | "accountId"> & { accountName: string };

/** The users among these IDs, by ID. */
export async function knownUsers(
  db: Db,
  ids: readonly (string | null)[],
): Promise<Map<string, KnownUser>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (wanted.length === 0) return new Map();
  const { id, username, role, accountId } = users;
  const rows = await db
    .select({ id, known: { username, role, accountId, accountName: accounts.name } })
    .from(users)
    .innerJoin(accounts, eq(accounts.id, users.accountId))
    .where(inArray(users.id, wanted));
  return new Map(rows.map(({ id, known }) => [id, known]));
}
