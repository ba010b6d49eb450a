import { and, count, countDistinct, isNull, like, not, type SQL } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Db } from "./connect.ts";
import { apiKeys, recoveryCodes } from "./schema.ts";

/**
 * How many API keys and unused recovery codes have a hash under another key of CODE_KEY than the one
 * with this id, and how many users have such recovery codes. See `hashToKeep`.
 */
export async function countOldHashes(
  db: Db,
  keyId: string,
): Promise<{ apiKeys: number; recoveryCodes: number; users: number }> {
  // A key without an id leaves plain hashes, which have no colon.
  const isOld = (hash: PgColumn): SQL =>
    keyId === "" ? like(hash, "%:%") : not(like(hash, `${keyId}:%`));
  const [keys] = await db.select({ count: count() }).from(apiKeys).where(isOld(apiKeys.hash));
  const [codes] = await db
    .select({ count: count(), users: countDistinct(recoveryCodes.userId) })
    .from(recoveryCodes)
    .where(and(isNull(recoveryCodes.usedAt), isOld(recoveryCodes.hash)));
  return {
    apiKeys: keys?.count ?? 0,
    recoveryCodes: codes?.count ?? 0,
    users: codes?.users ?? 0,
  };
}
