import { and, count, eq, isNull, or } from "drizzle-orm";
import { newId } from "../ids.ts";
import type { Db } from "./connect.ts";
import { holdUser } from "./devices.ts";
import { type NewEvent, recordEvent } from "./events.ts";
import { recoveryCodes } from "./schema.ts";

/** Replaces the user's recovery codes by a new set, given as hashes; the old ones are void. */
export async function replaceRecoveryCodes(
  db: Db,
  set: { userId: string; hashes: readonly string[]; at: Date },
  event: NewEvent,
): Promise<void> {
  const { userId, hashes, at: createdAt } = set;
  const setId = newId();
  await db.transaction(async (tx) => {
    await holdUser(tx, userId);
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
    await tx
      .insert(recoveryCodes)
      .values(hashes.map((hash) => ({ userId, hash, setId, createdAt })));
    await recordEvent(tx, event);
  });
}

type Attempt = { userId: string; hash: string; challengeId: string };

/** Whether the code is the user's and unused, or used by this very challenge. */
export async function canUseRecoveryCode(db: Db, attempt: Attempt): Promise<boolean> {
  const [code] = await db
    .select({ hash: recoveryCodes.hash })
    .from(recoveryCodes)
    .where(isUsable(attempt));
  return code !== undefined;
}

/**
 * Spends the code for the challenge and tells how many are left; undefined when it is no code of
 * the user's or another challenge has spent it. The same challenge may ask again.
 */
export async function useRecoveryCode(
  db: Db,
  attempt: Attempt & { at: Date },
): Promise<{ remaining: number } | undefined> {
  const spent = await db
    .update(recoveryCodes)
    .set({ usedAt: attempt.at, usedBy: attempt.challengeId })
    .where(isUsable(attempt))
    .returning({ hash: recoveryCodes.hash });
  return spent.length > 0 ? { remaining: await countRecoveryCodes(db, attempt.userId) } : undefined;
}

/** How many unused recovery codes the user has. */
export async function countRecoveryCodes(db: Db, userId: string): Promise<number> {
  const [codes] = await db
    .select({ unused: count() })
    .from(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, userId), isNull(recoveryCodes.usedAt)));
  return codes?.unused ?? 0;
}

function isUsable({ userId, hash, challengeId }: Attempt) {
  return and(
    eq(recoveryCodes.userId, userId),
    eq(recoveryCodes.hash, hash),
    or(isNull(recoveryCodes.usedAt), eq(recoveryCodes.usedBy, challengeId)),
  );
}
