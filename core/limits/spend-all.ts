import { type BudgetRule, refund, settle, spend } from "../../store/redis/budgets.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { isUndone } from "../outages.ts";
import { Problem } from "../problem.ts";

export type Charge = {
  key: string;
  rules: BudgetRule[];
  /** What the refusal says instead where it is this budget that is spent. */
  told?: { detail: string; members: Record<string, unknown> };
};

/** What was spent. Each of these is done once, and changes nothing a second time. */
export type Spent = {
  /** Undoes it. */
  giveBack(): Promise<void>;
  /** Says that it stays spent, where it was spent under way. */
  settle(): Promise<void>;
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

/** Budgets that are spent, or `underWay`: what is missing may be free in a moment. */
export type Refused = { underWay: boolean; problem: Problem };

/**
 * Spends one from each budget or none from any: they lie on different Redis slots, so each is asked
 * by itself, all at once, and where one refuses the others get theirs back. Throws the 429 problem
 * of that code with the time to wait.
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
 * Does what was paid for. It costs nothing if it was refused, reached nobody, or changed nothing by what
 * it answers (`false` unless told otherwise). What is late or failed otherwise may be done yet, and stays
 * paid.
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

/** As `spendAll`, but answers the refusal; what is spent is under way for `settlesWithinMs`. */
export async function trySpendAll(
  redis: Redis,
  now: number,
  charges: Charge[],
  refusal: Refusal,
  { settlesWithinMs }: { settlesWithinMs?: number } = {},
): Promise<Spent | Refused> {
  const results = await Promise.all(
    charges.map(async ({ key, rules, told }) => {
      return { key, told, spending: await spend(redis, key, rules, now, { settlesWithinMs }) };
    }),
  );
  const each = (act: typeof refund) => async () => {
    await Promise.all(
      results.map(({ key, spending }) => spending.ok && act(redis, key, spending.token)),
    );
  };
  const giveBack = each(refund);
  const refused = results.flatMap(({ told, spending }) =>
    spending.ok ? [] : [{ told, ...spending }],
  );
  const worst = refused.find(({ underWay }) => !underWay) ?? refused[0];
  if (!worst) return { giveBack, settle: each(settle) };
  await giveBack();
  const { told, underWay, retryAfterMs } = worst;
  const { code, detail } = { ...refusal, ...told };
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  return { underWay, problem: new Problem(code, detail, { retryAfterS, members: told?.members }) };
}
