import { type BudgetRule, refund, spend } from "../store/redis/budgets.ts";
import type { Redis } from "../store/redis/connect.ts";
import { Problem } from "./problem.ts";

export type Charge = {
  key: string;
  rules: BudgetRule[];
  /** What the refusal says instead where it is this budget that is spent. */
  told?: { detail: string; members: Record<string, unknown> };
};

/** What was spent; `giveBack` undoes it, and changes nothing a second time. */
export type Spent = { giveBack(): Promise<void> };

/**
 * Spends one from each budget or none from any: they lie on different Redis slots, so each is asked
 * by itself, all at once, and where one refuses the others get theirs back. Throws the 429 problem
 * of that code with the time to wait.
 */
export async function spendAll(
  redis: Redis,
  now: number,
  charges: Charge[],
  refusal: { code: "send_limit" | "login_throttled"; detail: string },
): Promise<Spent> {
  const results = await Promise.all(
    charges.map(async ({ key, rules, told }) => {
      return { key, told, spending: await spend(redis, key, rules, now) };
    }),
  );
  const giveBack = async () => {
    await Promise.all(
      results.map(({ key, spending }) => spending.ok && refund(redis, key, spending.token)),
    );
  };
  for (const { told, spending } of results) {
    if (spending.ok) continue;
    await giveBack();
    const retryAfterS = Math.ceil(spending.retryAfterMs / 1000);
    const { code, detail } = { ...refusal, ...told };
    throw new Problem(code, detail, { retryAfterS, members: told?.members });
  }
  return { giveBack };
}
