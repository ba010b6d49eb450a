import { parsePhoneNumberWithError } from "libphonenumber-js/max";
import { hashCode } from "../store/codes.ts";
import type { BudgetRule } from "../store/redis/budgets.ts";
import { keys } from "../store/redis/keys.ts";
import { tell } from "../telemetry/facts.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problem.ts";
import { type Charge, type Spent, spendAll } from "./spend-all.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What a limit of messages is about, and what helps where it is reached. See docs/decisions/0009. */
const DETAILS = {
  challenge: "You requested too many passcodes. Wait, or use an authenticator app.",
  user: "You requested too many messages. Wait, or use an authenticator app.",
  number: "This number was sent too many messages. Wait, or use an authenticator app.",
  country: "We cannot send more messages to this country now. Wait, or use an authenticator app.",
  service: "We cannot send more messages now. Wait, or use an authenticator app.",
} as const;

const REFUSAL = {
  code: "send_limit",
  detail: "Too many messages were sent. Wait, then try again.",
} as const;

/**
 * Spends the budgets for a PIN: 10 a day and one in 30 s for the user, and those of every message.
 * Throws `send_limit` with the time to wait and the `limit`, and then nothing is spent.
 */
export function spendPinSend(
  deps: Deps,
  { userId, phoneNumber }: { userId: string; phoneNumber: string },
): Promise<Spent> {
  const { perDay, intervalMs } = deps.config.limits.pin;
  const ofUser = charge(
    "user",
    keys.pinSends(userId),
    { limit: perDay, windowMs: DAY_MS },
    { limit: 1, windowMs: intervalMs },
  );
  return spend(deps, [ofUser, ...ofEveryMessage(deps, "pin", phoneNumber)]);
}

/**
 * Spends the budgets for a login passcode: one in 30 s for the challenge, 20 an hour for the user,
 * and those of every message. Throws `send_limit` as `spendPinSend` does.
 */
export function spendPasscodeSend(
  deps: Deps,
  send: { userId: string; challengeId: string; phoneNumber: string },
): Promise<Spent> {
  const { perHour, intervalMs } = deps.config.limits.passcode;
  const { userId, challengeId, phoneNumber } = send;
  return spend(deps, [
    charge("challenge", keys.challengeSends(userId, challengeId), {
      limit: 1,
      windowMs: intervalMs,
    }),
    charge("user", keys.passcodeSends(userId), { limit: perHour, windowMs: HOUR_MS }),
    ...ofEveryMessage(deps, "passcode", phoneNumber),
  ]);
}

/**
 * Of the number, so that nobody is pestered; of its country and of all, so that nobody runs up our
 * bill. PINs have a budget of their own: whoever registers another's number keeps no passcode from it.
 */
function ofEveryMessage({ config }: Deps, kind: "pin" | "passcode", phoneNumber: string): Charge[] {
  const { numberSendsPerDay, numberSendsPerHour } = config.limits;
  const { countryCallingCode } = parsePhoneNumberWithError(phoneNumber);
  const anHour = (limit: number) => ({ limit, windowMs: HOUR_MS });
  return [
    charge(
      "number",
      keys.numberSends(hashCode(config.CODE_KEY, "number", kind, phoneNumber)),
      { limit: numberSendsPerDay, windowMs: DAY_MS },
      anHour(numberSendsPerHour),
    ),
    charge(
      "country",
      keys.countrySends(countryCallingCode),
      anHour(config.SMS_PER_COUNTRY_AND_HOUR),
    ),
    charge("service", keys.serviceSends(), anHour(config.SMS_PER_HOUR)),
  ];
}

function charge(limit: keyof typeof DETAILS, key: string, ...rules: BudgetRule[]): Charge {
  return { key, rules, told: { detail: DETAILS[limit], members: { limit } } };
}

async function spend({ redis, clock }: Deps, charges: Charge[]): Promise<Spent> {
  try {
    return await spendAll(redis, clock.now(), charges, REFUSAL);
  } catch (error) {
    const limit = error instanceof Problem && error.extra.members?.limit;
    if (limit) tell("send-refused", { limit: String(limit) });
    throw error;
  }
}
