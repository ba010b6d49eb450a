import { type BudgetRule, confirmSpending, refund, spend } from "../../store/redis/budgets.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { isUndone } from "../outages.ts";
import { Problem } from "../problem.ts";

export type Charge = {
  key: string;
  rules: BudgetRule[];
  /** What the refusal says instead if this budget is the one that is spent. */
  ownRefusal?: { detail: string; members: Record<string, unknown> };
};

/** What was spent. Calling either function a second time changes nothing. */
export type Spent = {
  /** Undoes the spending. */
  giveBack(): Promise<void>;
  /** Makes the spending final, if it was only under way. */
  confirm(): Promise<void>;
};

type Refusal = {
  code:
    | "send_limit"
    | "login_throttled"
    | "too_many_requests"
    | "resend_limit"
    | "policy_change_limit";
  detail: string;
};

/**
 * A refusal. `underWay`: requests that are still being judged hold the budget, so it may be free in
 * a moment.
 */
export type Refused = { underWay: boolean; problem: Problem };

/**
 * Spends one from each budget, or none from any. The budgets lie in different Redis slots, so all
 * are asked separately and at once; if one refuses, the others get theirs back. Throws the 429
 * problem of that code with the time to wait.
 */
export async function spendAll(
  redis: Redis,
  now: number,
  charges: Charge[],
  refusal: Refusal,
): Promise<Spent> {
  const spent = await trySpendAll(redis, now, charges, refusal);
  if ("problem" in spent) throw spent.problem;
  return spent;
}

/**
 * Does work that was paid for. Work that was refused, did not reach Temporal, or changed nothing is
 * refunded; `isDone` tells from the answer whether something changed, by default unless it is false.
 * Work that is late or failed in another way may still be done, so it stays paid.
 */
export async function payIfDone<T>(
  spent: Spent | undefined,
  work: () => Promise<T>,
  isDone: (answer: T) => boolean = (answer) => answer !== false,
): Promise<T> {
  try {
    const answer = await work();
    if (!isDone(answer)) await spent?.giveBack();
    return answer;
  } catch (error) {
    if (isUndone(error)) await spent?.giveBack();
    throw error;
  }
}

/**
 * As `spendAll`, but answers the refusal instead of throwing it. With `confirmedWithinMs`, what is
 * spent counts as under way for that long, until it is confirmed.
 */
export async function trySpendAll(
  redis: Redis,
  now: number,
  charges: Charge[],
  refusal: Refusal,
  { confirmedWithinMs }: { confirmedWithinMs?: number } = {},
): Promise<Spent | Refused> {
  const results = await Promise.all(
    charges.map(async ({ key, rules, ownRefusal }) => {
      return {
        key,
        ownRefusal,
        spending: await spend(redis, key, rules, now, { confirmedWithinMs }),
      };
    }),
  );
  const each = (act: typeof refund) => async () => {
    await Promise.all(
      results.map(({ key, spending }) => spending.ok && act(redis, key, spending.token)),
    );
  };
  const giveBack = each(refund);
  const refused = results.flatMap(({ ownRefusal, spending }) =>
    spending.ok ? [] : [{ ownRefusal, ...spending }],
  );
  const worst = refused.find(({ underWay }) => !underWay) ?? refused[0];
  if (!worst) return { giveBack, confirm: each(confirmSpending) };
  await giveBack();
  const { ownRefusal, underWay, retryAfterMs } = worst;
  const { code, detail } = { ...refusal, ...ownRefusal };
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  return {
    underWay,
    problem: new Problem(code, detail, { retryAfterS, members: ownRefusal?.members }),
  };
}
