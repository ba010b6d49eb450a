import { and, eq, type InferInsertModel } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { type NewEvent, recordEvent } from "./events/events.ts";
import { apiKeys } from "./schema.ts";

/** Replaces the user's API key; the old one stops working. Only the hash is stored. */
export async function replaceApiKey(
  db: Db,
  { userId, hash, at: createdAt }: { userId: string; hash: string; at: Date },
  event: NewEvent,
): Promise<void> {
  const key: InferInsertModel<typeof apiKeys> = { userId, hash, createdAt };
  await db.transaction(async (tx) => {
    await tx
      .insert(apiKeys)
      .values(key)
      .onConflictDoUpdate({ target: apiKeys.userId, set: { hash, createdAt } });
    await recordEvent(tx, event);
  });
}

/** Stores another hash of the same key, unless the key was replaced meanwhile. */
export async function rehashApiKey(
  db: Db,
  { userId, from, to }: { userId: string; from: string; to: string },
): Promise<void> {
  await db
    .update(apiKeys)
    .set({ hash: to })
    .where(and(eq(apiKeys.userId, userId), eq(apiKeys.hash, from)));
}

/** Removes the user's key; false if there was none. */
export async function removeApiKey(db: Db, userId: string, event: NewEvent): Promise<boolean> {
  return db.transaction(async (tx) => {
    const removed = await tx
      .delete(apiKeys)
      .where(eq(apiKeys.userId, userId))
      .returning({ userId: apiKeys.userId });
    return removed.length > 0 && recordEvent(tx, event);
  });
}

/** The hash of the user's key. */
export async function apiKeyHash(db: Db, userId: string): Promise<string | undefined> {
  const [key] = await db
    .select({ hash: apiKeys.hash })
    .from(apiKeys)
    .where(eq(apiKeys.userId, userId));
  return key?.hash;
}
