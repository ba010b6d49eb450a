import { hashCode } from "../store/codes.ts";
import { type BudgetRule, refund, spend } from "../store/redis/budgets.ts";
import { keys } from "../store/redis/keys.ts";
import type { Deps } from "./index.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const rulesOf = ({ perHour, perDay }: { perHour: number; perDay: number }): BudgetRule[] => [
  { limit: perHour, windowMs: HOUR_MS },
  { limit: perDay, windowMs: DAY_MS },
];

/**
 * Spends one notice of the address's budgets: of the users of this account, and of all. Undefined where
 * one of them is spent. Nobody proved that the address is theirs, so whoever names it must not have it
 * flooded; and no account can use up what another's users are told by.
 */
export async function spendNotice(
  { redis, clock, config }: Pick<Deps, "redis" | "clock" | "config">,
  { address, accountId }: { address: string; accountId: string },
): Promise<{ giveBack(): Promise<void> } | undefined> {
  const { notices } = config.limits;
  const digest = (...parts: string[]) => hashCode(config.CODE_KEY, "notices", address, ...parts);
  const budgets = [
    { key: keys.notices(digest(accountId)), rules: rulesOf(notices.account) },
    { key: keys.notices(digest()), rules: rulesOf(notices.address) },
  ];
  const spent: { key: string; token: string }[] = [];
  const giveBack = async () => {
    for (const { key, token } of spent) await refund(redis, key, token);
  };
  for (const { key, rules } of budgets) {
    const spending = await spend(redis, key, rules, clock.now());
    if (!spending.ok) {
      await giveBack();
      return undefined;
    }
    spent.push({ key, token: spending.token });
  }
  return { giveBack };
}
