import { eq } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { users } from "./schema.ts";

declare const row: unique symbol;

/**
 * A transaction that holds the lock on a user's row. A function that takes one relies on checks its
 * caller made in that transaction.
 */
export type Held = Db & { readonly [row]: true };

/**
 * Runs work that checks something about a user and writes what depends on it, with the user's row
 * locked. Of two at once, the second sees what the first has written. Every change to a user's
 * devices starts here, so that counts are right and locks are always taken in the same order.
 */
export function holdingUser<T>(db: Db, userId: string, work: (tx: Held) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for("update");
    return work(tx as unknown as Held);
  });
}
