import { newId, ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
import type { Refund } from "../scripts/refunds.ts";
import type { Epochs } from "../sessions/revocations.ts";
import type { RefundBudget } from "./refunds.ts";
import { refundArguments } from "./refunds.ts";

/** The account and the epochs for the session that the challenge becomes. */
export type ChallengedLogin = { accountId: string; epochs: Epochs };

/**
 * A right answer. `setup`: a security key is required and the user has none, so the answer leads to
 * its set-up only.
 */
export type Accepted = ChallengedLogin & { outcome: "accepted"; scope: "full" | "setup" } & (
    | { factor: "sms" | "recovery_code" }
    | { factor: "otp"; deviceId: string; step: number }
  );

export type Attempt =
  /**
   * `used`: the code was right once. `replaced`: an SMS passcode older than the newest. Neither
   * counts. `key_required`: only the user's security key may answer.
   */
  | { outcome: Unjudged }
  /** The challenge has used up its requests; `justSpent` on the first request too many. */
  | { outcome: "spent"; justSpent: boolean }
  /**
   * `justLocked` on the attempt that locked; `pendingId` identifies the failure that it counted.
   */
  | { outcome: "locked"; justLocked: false }
  | { outcome: "locked"; justLocked: true; pendingId: string }
  /** `failures` includes pending ones: it is for the flow, not for clients. */
  | { outcome: "rejected"; failures: number; pendingId: string }
  | Accepted;

/**
 * How long a wrong passcode may be pending, in ms: longer than a gateway waits for Temporal and
 * the stores. Clients are not shown it until it is confirmed.
 */
const PENDING_MS = 30_000;

type Unjudged =
  | "unknown"
  | "completed"
  | "expired"
  | "passcode_expired"
  | "used"
  | "replaced"
  | "key_required";

/**
 * Judges a login attempt, atomically over all of the user's challenges. A wrong passcode counts
 * towards the lock; one that was right before does not. A locked user's passcode is not compared.
 * An OTP step is accepted once. A challenge takes a limited number of requests. Right answers are
 * accepted until the challenge has become a session.
 */
export async function checkPasscode(
  redis: Redis,
  attempt: {
    challengeId: string;
    now: number;
    /** HMACs of the typed text, one for each key, if it could be an SMS passcode. */
    passcodeHashes?: readonly string[];
    /** Devices and time steps that match the typed code. */
    otpMatches?: readonly { deviceId: string; step: number }[];
    /** Whether the typed text is a recovery code of the user, and whether it is still good. */
    recoveryCode?: "good" | "used";
    /** Consecutive wrong passcodes allowed; one more locks the user. */
    wrongAllowed: number;
    /** Requests that one challenge allows; one more ends it. */
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
      (attempt.passcodeHashes ?? []).join(" "),
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

function accepted([factor, scope, login, deviceId, step]: unknown[]): Accepted {
  const rest = {
    ...challengedLogin(String(login)),
    outcome: "accepted" as const,
    scope: scope as Accepted["scope"],
  };
  return factor === "otp"
    ? { ...rest, factor, deviceId: String(deviceId), step: Number(step) }
    : { ...rest, factor: factor as "sms" | "recovery_code" };
}

/** What `LOGIN_OF` has written. */
export function challengedLogin(text: string): ChallengedLogin {
  const [accountId = "", user, account, accountKeys, generation] = text.split(" ");
  const epochs = {
    user: Number(user),
    account: Number(account),
    accountKeys: Number(accountKeys),
    generation: generation || undefined,
  };
  return { accountId, epochs };
}

/**
 * Gives back what an attempt spent if an outage kept it from its flow. A user has a limited number
 * of refunds per day; after that the attempt counts as a wrong one, right or not.
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

/** Deletes a removed device's PIN, nonce, used steps and count of requests. */
export async function forgetDevice(redis: Redis, userId: string, deviceId: string): Promise<void> {
  await Promise.all([
    redis.hDel(keys.otpSteps(userId), deviceId),
    redis.del([
      keys.pin(userId, deviceId),
      keys.setUpNonce(userId, deviceId),
      keys.enrollmentRequests(userId, deviceId),
    ]),
  ]);
}
