import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";
import { script } from "./script.ts";

/** At most `limit` in any `windowMs`; `{limit: 1}` is a minimal distance between two. */
export type BudgetRule = { limit: number; windowMs: number };

export type Spending = { ok: true; token: string } | { ok: false; retryAfterMs: number };

export const budgetScripts = {
  /** A log of what was spent, by time: exact in every window, where counters allow twice the limit at a window's edge. */
  spendBudget: script<number>(`
    local key, now, token = KEYS[1], tonumber(ARGV[1]), ARGV[2]
    local longest, wait = 0, 0
    for i = 4, #ARGV, 2 do
      local limit, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
      longest = math.max(longest, window)
      local after = '(' .. string.format('%.0f', now - window)
      local excess = redis.call('ZCOUNT', key, after, '+inf') - limit
      if excess >= 0 then
        local oldest = redis.call('ZRANGEBYSCORE', key, after, '+inf', 'WITHSCORES', 'LIMIT', excess, 1)
        -- With a limit of nothing there is nothing to wait for: the whole window, then.
        local freed = oldest[2] and tonumber(oldest[2]) or now
        wait = math.max(wait, freed + window - now)
      end
    end
    if wait > 0 then return wait end
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - longest))
    redis.call('ZADD', key, ARGV[1], token)
    redis.call('PEXPIRE', key, longest + tonumber(ARGV[3]))
    return 0
  `),
};

/** Spends one from the budget if every rule allows it at `now` (ms); else tells when one will be free. */
export async function spend(
  redis: Redis,
  key: string,
  rules: readonly BudgetRule[],
  now: number,
): Promise<Spending> {
  const token = newId();
  const retryAfterMs = await redis.spendBudget(
    [key],
    [now, token, keep.budgetMargin, ...rules.flatMap(({ limit, windowMs }) => [limit, windowMs])],
  );
  return retryAfterMs === 0 ? { ok: true, token } : { ok: false, retryAfterMs };
}

/** How many ms from `now` until every rule allows one more; 0 where one is free. Spends nothing. */
export async function budgetWait(
  redis: Redis,
  key: string,
  rules: readonly BudgetRule[],
  now: number,
): Promise<number> {
  const spent = await redis.zRangeWithScores(key, 0, -1);
  const waits = rules.map(({ limit, windowMs }) => {
    const recent = spent.filter(({ score }) => score > now - windowMs);
    const freed = recent[recent.length - limit];
    return freed ? freed.score + windowMs - now : 0;
  });
  return Math.max(0, ...waits);
}

/** Gives back what the token spent; a second time it changes nothing. */
export async function refund(redis: Redis, key: string, token: string): Promise<void> {
  await redis.zRem(key, token);
}
