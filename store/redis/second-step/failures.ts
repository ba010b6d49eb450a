import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/**
 * Counts a wrong passcode for good, once its flow has heard of it; answers how many there are now
 * that clients may be shown.
 */
export async function settleFailure(
  redis: Redis,
  { challengeId, pendingId, now }: { challengeId: string; pendingId: string; now: number },
): Promise<number> {
  const userId = ownerOf(challengeId) ?? "";
  return redis.settleFailure(
    [keys.failures(userId), keys.pendingFailures(userId)],
    [now, pendingId],
  );
}

/** Consecutive wrong passcodes of the user, without those that are still on their way. */
export function failures(redis: Redis, userId: string, now: number): Promise<number> {
  return redis.settledFailures([keys.failures(userId), keys.pendingFailures(userId)], [now]);
}

/** Leaves the user no attempt: what is locked in the system of record is locked for every challenge. */
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

/** Starts the count of wrong passcodes again, as unlocking does. */
export async function clearFailures(redis: Redis, userId: string): Promise<void> {
  await redis.del([keys.failures(userId), keys.pendingFailures(userId)]);
}
