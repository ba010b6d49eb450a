import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
import { script } from "../script.ts";

/** Failed logins of a user since the last that succeeded; `since` is when the first was, in epoch ms. */
export type FailedLogins = { count: number; since: number };

export const failedLoginScripts = {
  noteFailedLogin: script<null>(`
    redis.call('HSETNX', KEYS[1], 'since', ARGV[1])
    redis.call('HINCRBY', KEYS[1], 'count', 1)
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  `),
};

/** Tells and forgets the failed logins, within a script that makes a session. */
export const TAKE_FAILED_LOGINS = `
  local function takeFailedLogins(key)
    local count, since = unpack(redis.call('HMGET', key, 'count', 'since'))
    redis.call('DEL', key)
    return tonumber(count or 0), since or ''
  end
`;

/** Counts a wrong password or a failed second step, to be told at the user's next login. */
export async function noteFailedLogin(redis: Redis, userId: string, now: number): Promise<void> {
  await redis.noteFailedLogin([keys.failedLogins(userId)], [now, keep.failedLogins]);
}

/** What `takeFailedLogins` told; undefined where none failed. */
export function failedLoginsOf([count, since]: unknown[]): FailedLogins | undefined {
  return Number(count) > 0 ? { count: Number(count), since: Number(since) } : undefined;
}
