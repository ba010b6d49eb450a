import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";
import { script } from "./script.ts";

/** At most `limit` in any `windowMs`; `{limit: 1}` is a minimal distance between two. */
export type BudgetRule = { limit: number; windowMs: number };

export type Spending =
  | { ok: true; token: string }
  /** `underWay`: places that are not settled yet are what is missing; they may be free in a moment. */
  | { ok: false; retryAfterMs: number; underWay: boolean };

/** What is spent before it is known whether it will stay spent. */
const UNDER_WAY = "under-way:";

export const budgetScripts = {
  /** A log of what was spent, by time: exact in every window, where counters allow twice the limit at a window's edge. */
  spendBudget: script<[retryAfterMs: number, underWay: 0 | 1]>(`
    local key, now, token, settling = KEYS[1], tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4])
    local longest, wait, spent = 0, 0, false
    local function underWay()
      local count = 0
      local young = redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', now - settling), '+inf')
      for _, member in ipairs(young) do
        if string.find(member, '${UNDER_WAY}', 1, true) == 1 then count = count + 1 end
      end
      return count
    end
    for i = 5, #ARGV, 2 do
      local limit, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
      longest = math.max(longest, window)
      local after = '(' .. string.format('%.0f', now - window)
      local excess = redis.call('ZCOUNT', key, after, '+inf') - limit
      if excess >= 0 then
        local oldest = redis.call('ZRANGEBYSCORE', key, after, '+inf', 'WITHSCORES', 'LIMIT', excess, 1)
        -- With a limit of nothing there is nothing to wait for: the whole window, then.
        local freed = oldest[2] and tonumber(oldest[2]) or now
        wait = math.max(wait, freed + window - now)
        spent = spent or underWay() <= excess
      end
    end
    if wait > 0 then return {wait, spent and 0 or 1} end
    -- First what a full Redis refuses: after another write it would let a script go on.
    redis.call('ZADD', key, ARGV[1], token)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - longest))
    redis.call('PEXPIRE', key, longest + tonumber(ARGV[3]))
    return {0, 0}
  `),
  settleBudget: script<null>(`
    local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
    if not at then return end
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[1], at, ARGV[2])
  `),
};

/**
 * Spends one from the budget if every rule allows it at `now` (ms); else tells when one will be free.
 * With `settlesWithinMs` it counts as under way until `settle` or `refund`; who spent it and died has
 * spent it after that time.
 */
export async function spend(
  redis: Redis,
  key: string,
  rules: readonly BudgetRule[],
  now: number,
  { settlesWithinMs = 0 }: { settlesWithinMs?: number } = {},
): Promise<Spending> {
  const token = settlesWithinMs > 0 ? UNDER_WAY + newId() : newId();
  const numbers = rules.flatMap(({ limit, windowMs }) => [limit, windowMs]);
  const [retryAfterMs = 0, underWay] = await redis.spendBudget(
    [key],
    [now, token, keep.budgetMargin, settlesWithinMs, ...numbers],
  );
  if (retryAfterMs === 0) return { ok: true, token };
  return { ok: false, retryAfterMs, underWay: underWay === 1 };
}

/** Says that what the token spent under way stays spent. */
export async function settle(redis: Redis, key: string, token: string): Promise<void> {
  await redis.settleBudget([key], [token, token.replace(UNDER_WAY, "")]);
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

/**
 * How many were spent in the `windowMs` before `now` and will stay spent: what is still under way after
 * `settlesWithinMs` is, since its process died.
 */
export async function settledIn(
  redis: Redis,
  key: string,
  { now, windowMs, settlesWithinMs }: { now: number; windowMs: number; settlesWithinMs: number },
): Promise<number> {
  const spent = await redis.zRangeByScoreWithScores(key, `(${now - windowMs}`, "+inf");
  const isUnderWay = (token: string, at: number) =>
    token.startsWith(UNDER_WAY) && at > now - settlesWithinMs;
  return spent.filter(({ value, score }) => !isUnderWay(value, score)).length;
}

/** Gives back what the token spent; a second time it changes nothing. */
export async function refund(redis: Redis, key: string, token: string): Promise<void> {
  await redis.zRem(key, token);
}
