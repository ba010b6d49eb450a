import { eq } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { accounts } from "./schema.ts";

/**
 * Runs work with the account's row locked, so that no role in the account changes meanwhile. "key
 * share" locks can be held together. Work that counts or changes what the account has must take
 * "update" from the start: two transactions that upgrade from "key share" would deadlock.
 */
export function holdingAccount<T>(
  db: Db,
  accountId: string,
  lock: "update" | "key share",
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.select({ id: accounts.id }).from(accounts).where(eq(accounts.id, accountId)).for(lock);
    return work(tx);
  });
}
