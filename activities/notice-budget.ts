import { hashCode } from "../store/codes.ts";
import { type BudgetRule, refund, spend } from "../store/redis/budgets.ts";
import { keys } from "../store/redis/keys.ts";
import { DAY_MS, HOUR_MS } from "../units.ts";
import type { ActivityDeps } from "./deps.ts";

type Limit = { perHour: number; perDay: number };

const rulesOf = ({ perHour, perDay }: Limit, part: number): BudgetRule[] => [
  { limit: Math.floor(perHour * part), windowMs: HOUR_MS },
  { limit: Math.floor(perDay * part), windowMs: DAY_MS },
];

/** The mailbox as most mail servers see it, however the address is written. */
const mailboxOf = (address: string) => address.toLowerCase().replace(/\+.*(?=@)/, "");

/**
 * Spends one notice from three budgets: of this account's notices to the address, of all notices to
 * the address, and of all notices of the account. Undefined if one of them is used up; for notices
 * that are not important, if half of one is used up. Nobody has proven that the address is the
 * user's, so no user, and no group of users, may flood it. No account may use up the notices of
 * another account's users.
 */
export async function spendNotice(
  { redis, clock, config }: Pick<ActivityDeps, "redis" | "clock" | "config">,
  { address, accountId, important }: { address: string; accountId: string; important: boolean },
): Promise<{ giveBack(): Promise<void> } | undefined> {
  const { notices } = config.limits;
  const mailbox = mailboxOf(address);
  const part = important ? 1 : 0.5;
  const budget = (limit: Limit, ...of: string[]) => ({
    key: keys.notices(hashCode(config.CODE_KEY, "notices", ...of)),
    rules: rulesOf(limit, part),
  });
  const budgets = [
    budget(notices.addressFromAccount, mailbox, accountId),
    budget(notices.address, mailbox),
    budget(notices.allOfAccount, accountId),
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
