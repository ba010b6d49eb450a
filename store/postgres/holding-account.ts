import { eq } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { accounts } from "./schema.ts";

/**
 * Runs work with the account's row held: until its end no role of the account changes. "key share" lets
 * others of its kind in; who counts or changes what the account has takes "update" from the start, since
 * of two who go over to it each would wait for the other.
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
