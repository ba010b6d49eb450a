import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/**
 * A user's failed logins since the last successful one; `since` is the time of the first, in epoch
 * ms.
 */
export type FailedLogins = { count: number; since: number };

/** Counts a wrong password or a failed second step. The user's next login reports it. */
export async function noteFailedLogin(redis: Redis, userId: string, now: number): Promise<void> {
  await redis.noteFailedLogin([keys.failedLogins(userId)], [now, keep.failedLogins]);
}

/** The answer of `takeFailedLogins`; undefined if none failed. */
export function failedLoginsOf([count, since]: unknown[]): FailedLogins | undefined {
  return Number(count) > 0 ? { count: Number(count), since: Number(since) } : undefined;
}
