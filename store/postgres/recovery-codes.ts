import { and, count, eq, gt, inArray, isNull, or, sql } from "drizzle-orm";
import { newId } from "../ids.ts";
import type { Db } from "./connect.ts";
import { type NewEvent, recordEvent } from "./events/events.ts";
import type { Held } from "./holding-user.ts";
import { recoveryCodes } from "./schema.ts";

/**
 * Replaces the user's recovery codes with a new set, given as hashes. The old codes stop working.
 * The new ones are valid until `expiresAt`, or without a limit.
 */
export async function replaceRecoveryCodes(
  tx: Held,
  set: { userId: string; hashes: readonly string[]; at: Date; expiresAt?: Date },
  event: NewEvent,
): Promise<void> {
  const { userId, hashes, at: createdAt, expiresAt } = set;
  const setId = newId();
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
  await tx
    .insert(recoveryCodes)
    .values(hashes.map((hash) => ({ userId, hash, setId, createdAt, expiresAt })));
  await recordEvent(tx, event);
}

/** `hashes`: the forms in which the code may be stored. */
type Attempt = { userId: string; hashes: string[]; challengeId: string; at: Date };

/**
 * Whether the code is the user's: "good" if it is unused or was used by this same challenge, else
 * "used". Undefined for any other code, including one of an older set.
 */
export async function lookUpRecoveryCode(
  db: Db,
  attempt: Attempt,
): Promise<"good" | "used" | undefined> {
  const { userId, hashes } = attempt;
  const [code] = await db
    .select({ good: sql<boolean>`${isUsable(attempt)}` })
    .from(recoveryCodes)
    .where(
      and(
        eq(recoveryCodes.userId, userId),
        inArray(recoveryCodes.hash, hashes),
        isGood(attempt.at),
      ),
    );
  if (!code) return undefined;
  return code.good ? "good" : "used";
}

/**
 * Spends the code for the challenge and answers how many are left. Undefined if the code is not the
 * user's or another challenge has spent it. The same challenge may ask again.
 */
export async function useRecoveryCode(
  db: Db,
  attempt: Attempt,
): Promise<{ remaining: number } | undefined> {
  const spent = await db
    .update(recoveryCodes)
    .set({ usedAt: attempt.at, usedBy: attempt.challengeId })
    .where(isUsable(attempt))
    .returning({ hash: recoveryCodes.hash });
  return spent.length > 0
    ? { remaining: await countRecoveryCodes(db, attempt.userId, attempt.at) }
    : undefined;
}

/** How many recovery codes the user has that can be used at that time. */
export async function countRecoveryCodes(db: Db, userId: string, at: Date): Promise<number> {
  const [codes] = await db
    .select({ unused: count() })
    .from(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, userId), isNull(recoveryCodes.usedAt), isGood(at)));
  return codes?.unused ?? 0;
}

const isGood = (at: Date) => or(isNull(recoveryCodes.expiresAt), gt(recoveryCodes.expiresAt, at));

function isUsable({ userId, hashes, challengeId, at }: Attempt) {
  return and(
    eq(recoveryCodes.userId, userId),
    inArray(recoveryCodes.hash, hashes),
    or(isNull(recoveryCodes.usedAt), eq(recoveryCodes.usedBy, challengeId)),
    isGood(at),
  );
}
