import { parsePhoneNumberWithError } from "libphonenumber-js/max";
import type { Limits } from "../../config.ts";
import { hashCode } from "../../store/codes.ts";
import { type BudgetRule, budgetWait } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import { publish } from "../../telemetry/facts.ts";
import { DAY_MS, HOUR_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";
import { duration } from "../duration.ts";
import { Problem } from "../problem.ts";
import { type Charge, type Spent, spendAll } from "./spend-all.ts";

/** What the client is told, by the limit that is spent. See docs/decisions/0009. */
const DETAILS = {
  challenge: "You requested too many passcodes.",
  user: "You requested too many messages.",
  number: "This number was sent too many messages.",
  country: "The hour's messages to this country are used up.",
  service: "The hour's messages of this service are used up.",
} as const;

const REFUSAL = { code: "send_limit", detail: "Too many messages were sent." } as const;

const pinRules = ({ perDay, intervalMs }: Limits["pin"]): BudgetRule[] => [
  { limit: perDay, windowMs: DAY_MS },
  { limit: 1, windowMs: intervalMs },
];

const passcodeRules = ({ perHour, intervalMs }: Limits["passcode"]) => ({
  ofChallenge: { limit: 1, windowMs: intervalMs },
  ofUser: { limit: perHour, windowMs: HOUR_MS },
});

/** How many ms until the user may be sent another PIN, as far as their own budget goes. */
export const pinSendWait = ({ redis, clock, config }: CoreDeps, userId: string): Promise<number> =>
  budgetWait(redis, keys.pinSends(userId), pinRules(config.limits.pin), clock.now());

/** How many ms until the challenge may be sent another passcode, as far as the user's budgets go. */
export async function passcodeSendWait(
  { redis, clock, config }: CoreDeps,
  { userId, challengeId }: { userId: string; challengeId: string },
): Promise<number> {
  const { ofChallenge, ofUser } = passcodeRules(config.limits.passcode);
  const [now, challengeKey] = [clock.now(), keys.challengeSends(userId, challengeId)];
  const waits = await Promise.all([
    budgetWait(redis, challengeKey, [ofChallenge], now),
    budgetWait(redis, keys.passcodeSends(userId), [ofUser], now),
  ]);
  return Math.max(...waits);
}

/**
 * Spends the budgets for a PIN: 10 a day and one in 30 s for the user, and the budgets of every
 * message. Throws `send_limit` with the time to wait and the `limit`; then nothing is spent.
 */
export function spendPinSend(
  deps: CoreDeps,
  { userId, phoneNumber }: { userId: string; phoneNumber: string },
): Promise<Spent> {
  const rules = pinRules(deps.config.limits.pin);
  const ofUser = charge("user", keys.pinSends(userId), ...rules);
  return spend(deps, "pin", [ofUser, ...ofEveryMessage(deps, "pin", phoneNumber)]);
}

/**
 * Spends the budgets for a login passcode: one in 30 s for the challenge, 20 an hour for the user,
 * and the budgets of every message. Throws `send_limit` as `spendPinSend` does.
 */
export function spendPasscodeSend(
  deps: CoreDeps,
  send: { userId: string; challengeId: string; phoneNumber: string },
): Promise<Spent> {
  const { ofChallenge, ofUser } = passcodeRules(deps.config.limits.passcode);
  const { userId, challengeId, phoneNumber } = send;
  return spend(deps, "passcode", [
    charge("challenge", keys.challengeSends(userId, challengeId), ofChallenge),
    charge("user", keys.passcodeSends(userId), ofUser),
    ...ofEveryMessage(deps, "passcode", phoneNumber),
  ]);
}

/**
 * The number's budget keeps its owner from being flooded with messages. The country's and the
 * service's budgets bound our bill. PINs and passcodes have separate budgets per number, so that
 * nobody can block a number's passcodes by registering the number.
 */
function ofEveryMessage(
  { config }: CoreDeps,
  kind: "pin" | "passcode",
  phoneNumber: string,
): Charge[] {
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
  return { key, rules, ownRefusal: { detail: DETAILS[limit], members: { limit } } };
}

/** What each code is called, and what helps instead of another one. */
const WORDS = {
  pin: { name: "PIN", instead: "add a security key or an authenticator app instead" },
  passcode: {
    name: "passcode",
    instead: "use a security key, an authenticator app or a recovery code",
  },
} as const;

async function spend(
  { redis, clock, config }: CoreDeps,
  kind: keyof typeof WORDS,
  charges: Charge[],
): Promise<Spent> {
  try {
    return await spendAll(redis, clock.now(), charges, REFUSAL);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "send_limit") throw error;
    const { extra, message } = error;
    publish("send-refused", { limit: String(extra.members?.limit) });
    const waitMs = (extra.retryAfterS ?? 0) * 1000;
    const wait = duration(waitMs);
    // The last message was sent a moment ago. Otherwise a budget is used up.
    const soon = waitMs <= config.limits[kind].intervalMs;
    throw new Problem(
      "send_limit",
      soon
        ? `You can request another ${WORDS[kind].name} in ${wait}.`
        : `${message} Try again in ${wait}, or ${WORDS[kind].instead}.`,
      extra,
    );
  }
}
