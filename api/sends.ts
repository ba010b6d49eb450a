import { hashCode } from "../store/codes.ts";
import { keys } from "../store/redis/keys.ts";
import type { Deps } from "./deps.ts";
import { type Charge, type Spent, spendAll } from "./spend-all.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const REFUSAL = {
  code: "send_limit",
  detail: "Too many messages were sent. Wait before asking again.",
} as const;

/**
 * Spends the budgets for a PIN: 10 a day and one in 30 s for the user, and the number's own cap.
 * Throws `send_limit` with the time to wait, and then nothing is spent.
 */
export function spendPinSend(
  deps: Deps,
  { userId, phoneNumber }: { userId: string; phoneNumber: string },
): Promise<Spent> {
  const { perDay, intervalMs } = deps.config.limits.pin;
  const rules = [
    { limit: perDay, windowMs: DAY_MS },
    { limit: 1, windowMs: intervalMs },
  ];
  const charges = [{ key: keys.pinSends(userId), rules }, perNumber(deps, phoneNumber)];
  return spendAll(deps.redis, deps.clock.now(), charges, REFUSAL);
}

/**
 * Spends the budgets for a login passcode: one in 30 s for the challenge, 20 an hour for the user,
 * and the number's own cap. Throws `send_limit` with the time to wait, and then nothing is spent.
 */
export function spendPasscodeSend(
  deps: Deps,
  send: { userId: string; challengeId: string; phoneNumber: string },
): Promise<Spent> {
  const { perHour, intervalMs } = deps.config.limits.passcode;
  const { userId, challengeId, phoneNumber } = send;
  const charges = [
    {
      key: keys.challengeSends(userId, challengeId),
      rules: [{ limit: 1, windowMs: intervalMs }],
    },
    { key: keys.passcodeSends(userId), rules: [{ limit: perHour, windowMs: HOUR_MS }] },
    perNumber(deps, phoneNumber),
  ];
  return spendAll(deps.redis, deps.clock.now(), charges, REFUSAL);
}

function perNumber({ config }: Deps, phoneNumber: string): Charge {
  return {
    key: keys.numberSends(hashCode(config.CODE_KEY, "number", phoneNumber)),
    rules: [{ limit: config.limits.numberSendsPerDay, windowMs: DAY_MS }],
  };
}
