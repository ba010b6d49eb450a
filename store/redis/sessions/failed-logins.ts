import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** Failed logins of a user since the last that succeeded; `since` is when the first was, in epoch ms. */
export type FailedLogins = { count: number; since: number };

/** Counts a wrong password or a failed second step, to be told at the user's next login. */
export async function noteFailedLogin(redis: Redis, userId: string, now: number): Promise<void> {
  await redis.noteFailedLogin([keys.failedLogins(userId)], [now, keep.failedLogins]);
}

/** What `takeFailedLogins` told; undefined where none failed. */
export function failedLoginsOf([count, since]: unknown[]): FailedLogins | undefined {
  return Number(count) > 0 ? { count: Number(count), since: Number(since) } : undefined;
}
