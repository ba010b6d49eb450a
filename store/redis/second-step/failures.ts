import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";
import { script } from "../script.ts";

/** The wrong passcodes that clients may be shown: all but those on their way. */
const SETTLED = `
  local function settled(failures, pending, now)
    local onTheirWay = redis.call('ZCOUNT', pending, '(' .. now, '+inf')
    return math.max(0, tonumber(redis.call('GET', failures) or 0) - onTheirWay)
  end
`;

export const failureScripts = {
  settleFailure: script<number>(`
    ${SETTLED}
    redis.call('ZREM', KEYS[2], ARGV[2])
    return settled(KEYS[1], KEYS[2], ARGV[1])
  `),
  settledFailures: script<number>(`
    ${SETTLED}
    return settled(KEYS[1], KEYS[2], ARGV[1])
  `),
  exhaustAttempts: script<null>(`
    local allowed = tonumber(ARGV[1])
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= allowed then
      redis.call('SET', KEYS[1], allowed + 1)
    end
    -- No attempt that is on its way can be given back any more.
    redis.call('DEL', KEYS[2])
  `),
};

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
