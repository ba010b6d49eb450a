import { eq } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { users } from "./schema.ts";

declare const row: unique symbol;

/** A transaction that holds a user's row. What takes one writes what its caller has checked in it. */
export type Held = Db & { readonly [row]: true };

/**
 * Runs work that checks something of the user and writes what depends on it, with the user's row
 * held: of two at once the second checks what the first has written. Everything that changes a user's
 * devices begins here, so that counts hold and locks are always taken in the same order.
 */
export function holdingUser<T>(db: Db, userId: string, work: (tx: Held) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for("update");
    return work(tx as unknown as Held);
  });
}
