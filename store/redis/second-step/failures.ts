import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/**
 * Makes the count of a wrong passcode final, once its flow knows of it. Answers how many failures
 * clients may now be shown.
 */
export async function confirmFailure(
  redis: Redis,
  { challengeId, pendingId, now }: { challengeId: string; pendingId: string; now: number },
): Promise<number> {
  const userId = ownerOf(challengeId) ?? "";
  return redis.confirmFailure(
    [keys.failures(userId), keys.pendingFailures(userId)],
    [now, pendingId],
  );
}

/** The user's consecutive wrong passcodes, without pending ones. */
export function failures(redis: Redis, userId: string, now: number): Promise<number> {
  return redis.confirmedFailures([keys.failures(userId), keys.pendingFailures(userId)], [now]);
}

/**
 * Uses up all of the user's attempts: a user who is locked in PostgreSQL is locked for every
 * challenge.
 */
export async function exhaustAttempts(
  redis: Redis,
  userId: string,
  wrongAllowed: number,
): Promise<void> {
  await redis.exhaustAttempts(
    [keys.failures(userId), keys.pendingFailures(userId)],
    [wrongAllowed],
  );
}

/** Resets the count of wrong passcodes, as unlocking does. */
export async function clearFailures(redis: Redis, userId: string): Promise<void> {
  await redis.del([keys.failures(userId), keys.pendingFailures(userId)]);
}
