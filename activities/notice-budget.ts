import { hashCode } from "../store/codes.ts";
import { type BudgetRule, refund, spend } from "../store/redis/budgets.ts";
import { keys } from "../store/redis/keys.ts";
import type { ActivityDeps } from "./deps.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Limit = { perHour: number; perDay: number };

const rulesOf = ({ perHour, perDay }: Limit, part: number): BudgetRule[] => [
  { limit: Math.floor(perHour * part), windowMs: HOUR_MS },
  { limit: Math.floor(perDay * part), windowMs: DAY_MS },
];

/** Whose mailbox it is, as most servers see it, however the address is spelled. */
const mailboxOf = (address: string) => address.toLowerCase().replace(/\+.*(?=@)/, "");

/**
 * Spends one notice of the budgets: of the address for the users of this account and for all, and of
 * the account for all addresses. Undefined where one of them is spent, for notices that are not
 * important where half of it is. Nobody proved that the address is theirs, so whoever names it must not
 * have it flooded, nor many of them; and no account can use up what another's users are told by.
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
    budget(notices.account, mailbox, accountId),
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
