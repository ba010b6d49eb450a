import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";
import { UNDER_WAY } from "./scripts/budgets.ts";

/** At most `limit` in any `windowMs`. `{limit: 1}` is a minimum interval between two. */
export type BudgetRule = { limit: number; windowMs: number };

export type Spending =
  | { ok: true; token: string }
  /** `underWay`: the missing places are not confirmed yet, so they may be free in a moment. */
  | { ok: false; retryAfterMs: number; underWay: boolean };

/**
 * Spends one from the budget if every rule allows it at `now` (ms); else answers when one will be
 * free. With `confirmedWithinMs` the spending is under way until `confirmSpending` or `refund`. If the process
 * dies before, it counts as spent after that time.
 */
export async function spend(
  redis: Redis,
  key: string,
  rules: readonly BudgetRule[],
  now: number,
  { confirmedWithinMs = 0 }: { confirmedWithinMs?: number } = {},
): Promise<Spending> {
  const token = confirmedWithinMs > 0 ? UNDER_WAY + newId() : newId();
  const numbers = rules.flatMap(({ limit, windowMs }) => [limit, windowMs]);
  const [retryAfterMs = 0, underWay] = await redis.spendBudget(
    [key],
    [now, token, keep.budgetMargin, confirmedWithinMs, ...numbers],
  );
  if (retryAfterMs === 0) return { ok: true, token };
  return { ok: false, retryAfterMs, underWay: underWay === 1 };
}

/** Makes the spending of a token that is under way final. */
export async function confirmSpending(redis: Redis, key: string, token: string): Promise<void> {
  await redis.confirmSpending([key], [token, token.replace(UNDER_WAY, "")]);
}

/**
 * How many ms from `now` until every rule allows one more; 0 if one is free now. Spends nothing.
 */
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
 * How many were spent in the `windowMs` before `now` and stay spent. One that is still under way
 * after `confirmedWithinMs` counts too, because its process died.
 */
export async function confirmedIn(
  redis: Redis,
  key: string,
  {
    now,
    windowMs,
    confirmedWithinMs,
  }: { now: number; windowMs: number; confirmedWithinMs: number },
): Promise<number> {
  const spent = await redis.zRangeByScoreWithScores(key, `(${now - windowMs}`, "+inf");
  const isUnderWay = (token: string, at: number) =>
    token.startsWith(UNDER_WAY) && at > now - confirmedWithinMs;
  return spent.filter(({ value, score }) => !isUnderWay(value, score)).length;
}

/**
 * How many were spent from each budget in the `windowMs` before `now`, in one call. The keys are in
 * one slot.
 */
export function spentIn(
  redis: Redis,
  keys: readonly string[],
  { now, windowMs }: { now: number; windowMs: number },
): Promise<number[]> {
  return redis.countBudgets(keys, [`(${now - windowMs}`]);
}

/** Gives back what the token spent. A second call changes nothing. */
export async function refund(redis: Redis, key: string, token: string): Promise<void> {
  await redis.zRem(key, token);
}
