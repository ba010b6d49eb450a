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
 * Spends one from each budget or none from any: they lie on different Redis slots, so what was
 * spent before one refused is given back. Throws the 429 problem of that code with the time to wait.
 */
export async function spendAll(
  redis: Redis,
  now: number,
  charges: Charge[],
  refusal: { code: "send_limit" | "login_throttled"; detail: string },
): Promise<Spent> {
  const spent: { key: string; token: string }[] = [];
  const giveBack = async () => {
    await Promise.all(spent.map(({ key, token }) => refund(redis, key, token)));
  };
  for (const { key, rules, told } of charges) {
    const result = await spend(redis, key, rules, now);
    if (!result.ok) {
      await giveBack();
      const retryAfterS = Math.ceil(result.retryAfterMs / 1000);
      const { code, detail } = { ...refusal, ...told };
      throw new Problem(code, detail, { retryAfterS, members: told?.members });
    }
    spent.push({ key, token: result.token });
  }
  return { giveBack };
}
