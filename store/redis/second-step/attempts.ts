import { newId, ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
import type { Refund } from "../scripts/refunds.ts";
import type { Epochs } from "../sessions/revocations.ts";
import type { RefundBudget } from "./refunds.ts";
import { refundArguments } from "./refunds.ts";

/** A right answer, and whose session the challenge may become. */
export type Accepted = { outcome: "accepted"; accountId: string; epochs: Epochs } & (
  | { factor: "sms" | "recovery_code" }
  | { factor: "otp"; deviceId: string; step: number }
);

export type Attempt =
  /** `used`: a code that was right, once; `replaced`: an SMS passcode before the newest. Neither counts. */
  | { outcome: Unjudged }
  /** The challenge took as many requests as it may; `justSpent` on the one that was too many. */
  | { outcome: "spent"; justSpent: boolean }
  /** `justLocked` on the one attempt that locked; `pendingId` of what it counted. */
  | { outcome: "locked"; justLocked: false }
  | { outcome: "locked"; justLocked: true; pendingId: string }
  /** `failures` with those that are on their way: for the flow, not for clients. */
  | { outcome: "rejected"; failures: number; pendingId: string }
  | Accepted;

/**
 * How long a wrong passcode may be on its way, in ms: longer than its gateway waits for Temporal and
 * the stores. Until it is settled, clients are not shown it.
 */
const PENDING_MS = 30_000;

type Unjudged = "unknown" | "completed" | "expired" | "passcode_expired" | "used" | "replaced";

/**
 * The one judge of a login attempt, atomic over the user's challenges: a wrong passcode counts
 * towards the lock, one that was right before does not, a locked user's is not looked at, an OTP step
 * is good once, a challenge takes so many requests. Everything is accepted until the challenge has become a session.
 */
export async function checkPasscode(
  redis: Redis,
  attempt: {
    challengeId: string;
    now: number;
    /** HMAC of what was typed, if it could be an SMS passcode. */
    passcodeHash?: string;
    /** Devices and time steps whose code was typed. */
    otpMatches?: readonly { deviceId: string; step: number }[];
    /** Whether a recovery code of the user's was typed, and whether it is still good. */
    recoveryCode?: "good" | "used";
    /** Consecutive wrong passcodes allowed; one more locks. */
    wrongAllowed: number;
    /** Requests that one challenge takes; one more ends it. */
    requestsAllowed: number;
  },
): Promise<Attempt> {
  const { challengeId, now, otpMatches = [], wrongAllowed, requestsAllowed } = attempt;
  const userId = ownerOf(challengeId);
  if (!userId) {
    return { outcome: "unknown" };
  }
  const pendingId = newId();
  const [outcome, ...details] = await redis.judgePasscode(
    [
      keys.challenge(userId, challengeId),
      keys.failures(userId),
      keys.otpSteps(userId),
      keys.pendingFailures(userId),
    ],
    [
      now,
      challengeId,
      attempt.passcodeHash ?? "",
      attempt.recoveryCode ?? "",
      wrongAllowed,
      requestsAllowed,
      pendingId,
      now + PENDING_MS,
      keep.pendingFailure,
      ...otpMatches.flatMap(({ deviceId, step }) => [deviceId, step]),
    ],
  );
  switch (outcome) {
    case "accepted":
      return accepted(details);
    case "just_spent":
    case "spent":
      return { outcome: "spent", justSpent: outcome === "just_spent" };
    case "locked":
      return { outcome, justLocked: false };
    case "just_locked":
      return { outcome: "locked", justLocked: true, pendingId };
    case "rejected":
      return { outcome, failures: Number(details[0]), pendingId };
    default:
      return { outcome: outcome as Unjudged };
  }
}

function accepted([account, userEpoch, accountEpoch, factor, deviceId, step]: unknown[]): Accepted {
  const epochs = { user: Number(userEpoch), account: Number(accountEpoch) };
  const rest = { outcome: "accepted", accountId: String(account), epochs } as const;
  return factor === "otp"
    ? { ...rest, factor, deviceId: String(deviceId), step: Number(step) }
    : { ...rest, factor: factor as "sms" | "recovery_code" };
}

/**
 * Takes back what an attempt spent that an outage kept from its flow, a bounded number a day; past
 * that the attempt counts as a wrong one, right or not.
 */
export async function refundAttempt(
  redis: Redis,
  { challengeId, attempt, ...budget }: { challengeId: string; attempt: Attempt } & RefundBudget,
): Promise<Refund> {
  const userId = ownerOf(challengeId);
  const pendingId = "pendingId" in attempt ? attempt.pendingId : "";
  if (!userId || (!pendingId && attempt.outcome !== "accepted")) {
    return "nothing";
  }
  const taken =
    attempt.outcome === "accepted" && attempt.factor === "otp"
      ? [attempt.deviceId, attempt.step, challengeId]
      : ["", "", ""];
  return redis.giveBackAttempt(
    [
      keys.failures(userId),
      keys.pendingFailures(userId),
      keys.refunds(userId),
      keys.otpSteps(userId),
    ],
    [...refundArguments(budget), pendingId, ...taken],
  );
}

/** Forgets a removed device's PIN, used steps and requests. */
export async function forgetDevice(redis: Redis, userId: string, deviceId: string): Promise<void> {
  await Promise.all([
    redis.hDel(keys.otpSteps(userId), deviceId),
    redis.del([keys.pin(userId, deviceId), keys.enrollmentRequests(userId, deviceId)]),
  ]);
}
