import type { ClientInfo, Factor } from "../../machines/methods.ts";
import { ownerOf } from "../../store/ids.ts";
import { aheadOfPasswords } from "../../store/passwords.ts";
import {
  type Accepted,
  type Attempt,
  refundAttempt,
} from "../../store/redis/second-step/attempts.ts";
import { withdrawChallenge } from "../../store/redis/second-step/challenges.ts";
import { confirmFailure } from "../../store/redis/second-step/failures.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { publish } from "../../telemetry/facts.ts";
import { note } from "../../telemetry/request-context.ts";
import type { CoreDeps } from "../deps.ts";
import { spendRecoveryCode } from "../devices/recovery-codes.ts";
import { refundOrCharge } from "../limits/refund-or-charge.ts";
import { Problem } from "../problem.ts";
import {
  type FailedAttempts,
  failedAttemptsOf,
  type OpenedSession,
  openedSession,
} from "../sessions/sessions.ts";
import { attemptsRemaining } from "./challenge-view.ts";
import {
  accountLocked,
  challengeExpired,
  challengeNotFound,
  challengeSpent,
  challengeUsed,
  moveChallenge,
  refusal,
  withdrawSpent,
} from "./challenges.ts";
import { recordFailedStep } from "./failed-steps.ts";
import { type Guess, judge, methodOf, newestOf, readGuess, typedMethod } from "./guesses.ts";
import { measured } from "./login-metrics.ts";
import { rememberAddressOf } from "./password-limits.ts";
import { recordLogin } from "./record-login.ts";
import { usedCode } from "./used-codes.ts";

/** RFC 8176 names. It has none for a recovery code, which uses its own. */
const AMR: Record<Factor, string[]> = {
  sms: ["pwd", "sms", "mfa"],
  otp: ["pwd", "otp", "mfa"],
  recovery_code: ["pwd", "recovery_code", "mfa"],
};

/**
 * Whether the answer reports the earlier failed logins, once. A program would ignore the report.
 */
type Terms = { showsFailedLogins: boolean };

export type Authenticated = {
  session: OpenedSession;
  /** How many recovery codes are left, if one was used. */
  recoveryCodesRemaining?: number;
  failedAttempts?: FailedAttempts;
};

/**
 * The second step of a login: any of the user's factors answers the challenge. Throws
 * `passcode_rejected` with `attemptsRemaining`, `account_locked` on the seventh wrong passcode,
 * `passcode_already_used` and `passcode_replaced`, which cost no attempt, `challenge_expired` (with
 * the `reason` `too_many_requests` if it used up its requests), `illegal_transition` for a used
 * challenge, `challenge_not_found`.
 */
export async function verifyPasscode(
  deps: CoreDeps,
  id: string,
  passcode: string,
  origin: ClientInfo,
  terms: Terms = { showsFailedLogins: true },
): Promise<Authenticated> {
  const answered = aheadOfPasswords(() => secondStep(deps, id, passcode, origin, terms));
  const ended = ({ session }: Authenticated) => ({
    outcome: "authenticated",
    method: FACTORS.find((factor) => session.amr.includes(factor)),
  });
  return measured("passcode", answered, ended, typedMethod(deps, passcode));
}

const FACTORS: Factor[] = ["sms", "otp", "recovery_code"];

async function secondStep(
  deps: CoreDeps,
  id: string,
  passcode: string,
  origin: ClientInfo,
  terms: Terms,
): Promise<Authenticated> {
  const userId = ownerOf(id);
  if (!userId) throw challengeNotFound();
  const guess = await readGuess(deps, id, userId, passcode);
  note({ userId });
  const attempt = await judge(deps, id, userId, guess);
  try {
    if (attempt.outcome !== "accepted") throw await refuse(deps, id, attempt, guess, origin);
    const { recoveryHashes: hashes } = guess;
    const recoveryCodesRemaining =
      attempt.factor === "recovery_code" && hashes
        ? await spendRecoveryCode(deps, { userId, challengeId: id, hashes })
        : undefined;
    await acceptPasscode(deps, id, attempt.factor, origin);
    return { ...(await open(deps, id, guess, attempt, origin, terms)), recoveryCodesRemaining };
  } catch (error) {
    await refundOrCharge(deps, error, { userId, kind: "passcode" }, origin, (budget) =>
      refundAttempt(deps.redis, { challengeId: id, attempt, ...budget }),
    );
    throw error;
  }
}

/** Reports a failed attempt to the workflow, and answers the problem for the client. */
async function refuse(
  deps: CoreDeps,
  id: string,
  attempt: Exclude<Attempt, Accepted>,
  guess: Guess,
  origin: ClientInfo,
): Promise<Problem> {
  const step = { method: methodOf(guess) };
  const newest = newestOf(guess);
  switch (attempt.outcome) {
    case "unknown":
      return challengeNotFound();
    case "completed":
      return challengeUsed();
    case "expired":
      return challengeExpired();
    case "spent":
      if (attempt.justSpent) withdrawSpent(deps, id);
      return challengeSpent();
    case "used":
      await recordFailedStep(
        deps,
        id,
        { ...step, device: newest?.device, reason: "already_used" },
        origin,
      );
      // It guesses nothing, so it costs no attempt.
      return usedCode(deps, ownerOf(id) ?? "", newest);
    case "replaced":
      await recordFailedStep(deps, id, { ...step, reason: "replaced" }, origin);
      return new Problem("passcode_replaced", "A newer passcode was sent. Enter the newest one.");
    case "passcode_expired":
      return new Problem("passcode_expired", "Request a new passcode.");
    case "locked":
      if (attempt.justLocked) publish("lock", {});
      await Promise.all([
        moveChallenge(deps, id, "lockAccount", { origin }, "lock"),
        attempt.justLocked && recordFailedStep(deps, id, step, origin),
      ]);
      if (attempt.justLocked) await confirm(deps, id, attempt);
      return accountLocked();
    case "rejected": {
      const facts = { failures: attempt.failures };
      const [{ moved, view }] = await Promise.all([
        moveChallenge(deps, id, "rejectPasscode", facts),
        recordFailedStep(deps, id, step, origin),
      ]);
      const failures = await confirm(deps, id, attempt);
      if (!moved) return refusal(view);
      return new Problem("passcode_rejected", "That code is wrong. Check it and try again.", {
        members: { attemptsRemaining: attemptsRemaining(deps.config.limits, failures) },
      });
    }
  }
}

/** Makes the count of a wrong passcode final. Answers how many failures clients may be shown. */
const confirm = (
  { redis, clock }: CoreDeps,
  challengeId: string,
  { pendingId }: { pendingId: string },
) => confirmFailure(redis, { challengeId, pendingId, now: clock.now() });

/**
 * Moves the workflow to `authenticated`. A repeated request finds it there already. That is no
 * refusal: each challenge opens one session, and opening it decides which request wins.
 */
async function acceptPasscode(deps: CoreDeps, id: string, factor: Factor, origin: ClientInfo) {
  const facts = { factor, origin };
  // Without an Update ID, like a wrong one: if too many are under way, both are refused alike.
  const { moved, view } = await moveChallenge(deps, id, "acceptPasscode", facts);
  if (!moved && view.state !== "authenticated") throw refusal(view);
}

async function open(
  deps: CoreDeps,
  challengeId: string,
  guess: Guess,
  accepted: Accepted,
  origin: ClientInfo,
  terms: Terms,
): Promise<Pick<Authenticated, "session" | "failedAttempts">> {
  const { redis, clock, config } = deps;
  const { accountId, epochs, factor } = accepted;
  const userId = ownerOf(challengeId) ?? "";
  const otpStep = accepted.factor === "otp" ? accepted : undefined;
  const match = guess.otpMatches?.find((one) => one.deviceId === otpStep?.deviceId);
  // Before the session is opened: a crash in between leaves no session without its event.
  const login = { userId, accountId, challengeId };
  const proof = { factor, device: match?.device };
  const user = await recordLogin(deps, login, proof, origin);
  if (!user) throw new Problem("challenge_expired", "Log in again.");
  const opened = await openSession(redis, {
    userId,
    accountId,
    username: user.username,
    role: user.role,
    scope: "full",
    amr: AMR[factor],
    epochs,
    now: clock.now(),
    lifetimeMs: config.limits.session.absoluteMs,
    challenge: { id: challengeId, wrongAllowed: config.limits.wrongPasscodes, otpStep },
    ...terms,
    ...origin,
  });
  if (opened === "completed") throw challengeUsed();
  if (opened === "locked") throw accountLocked();
  if (opened === "used") throw await usedCode(deps, userId, otpStep);
  if (opened === "stale") {
    // No passcode can answer this challenge any more, so clients must not ask for one again.
    await withdrawChallenge(redis, { userId, challengeId, now: clock.now() });
    throw new Problem("challenge_expired", "Your devices changed in the meantime. Log in again.");
  }
  rememberAddressOf(deps, user.username, origin);
  return { session: openedSession(opened), ...failedAttemptsOf(opened) };
}
