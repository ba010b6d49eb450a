import type { ClientInfo, TypedFactor } from "../../machines/methods.ts";
import { ownerOf } from "../../store/ids.ts";
import { aheadOfPasswords } from "../../store/passwords.ts";
import {
  type Accepted,
  type Attempt,
  refundAttempt,
} from "../../store/redis/second-step/attempts.ts";
import { confirmFailure } from "../../store/redis/second-step/failures.ts";
import { publish } from "../../telemetry/facts.ts";
import { note } from "../../telemetry/request-context.ts";
import type { CoreDeps } from "../deps.ts";
import { spendRecoveryCode } from "../devices/recovery-codes.ts";
import { refundOrCharge } from "../limits/refund-or-charge.ts";
import { Problem } from "../problem.ts";
import { attemptsRemaining } from "./challenge-view.ts";
import {
  accountLocked,
  challengeNotFound,
  endedProblem,
  moveChallenge,
  refusal,
} from "./challenges.ts";
import {
  type Answer,
  type Authenticated,
  type CompletionTerms,
  completeChallenge,
} from "./complete-challenge.ts";
import { recordFailedStep } from "./failed-steps.ts";
import { type Guess, judge, methodOf, newestOf, readGuess, typedMethod } from "./guesses.ts";
import { measured } from "./login-metrics.ts";
import { keyRequired, underKeyRequirement } from "./required-key.ts";
import { usedCode } from "./used-codes.ts";

/** RFC 8176 names. It has none for a recovery code, which uses its own. */
const AMR: Record<TypedFactor, string[]> = {
  sms: ["pwd", "sms", "mfa"],
  otp: ["pwd", "otp", "mfa"],
  recovery_code: ["pwd", "recovery_code", "mfa"],
};

/**
 * The second step of a login: any of the user's factors answers the challenge. Throws
 * `passcode_rejected` with `attemptsRemaining`, `account_locked` on the seventh wrong passcode,
 * `setup_only`, `passcode_already_used`, `passcode_replaced` and `key_required`, which cost no
 * attempt, `challenge_expired` (with the `reason` `too_many_requests` if it used up its requests),
 * `illegal_transition` for a used challenge, `challenge_not_found`.
 */
export async function verifyPasscode(
  deps: CoreDeps,
  id: string,
  passcode: string,
  origin: ClientInfo,
  terms: CompletionTerms = { showsFailedLogins: true },
): Promise<Authenticated> {
  const answered = aheadOfPasswords(() => secondStep(deps, id, passcode, origin, terms));
  const ended = ({ session }: Authenticated) => ({
    outcome: "authenticated",
    method: FACTORS.find((factor) => session.amr.includes(factor)),
  });
  return measured("passcode", answered, ended, typedMethod(deps, passcode));
}

const FACTORS: TypedFactor[] = ["sms", "otp", "recovery_code"];

async function secondStep(
  deps: CoreDeps,
  id: string,
  passcode: string,
  origin: ClientInfo,
  terms: CompletionTerms,
): Promise<Authenticated> {
  const userId = ownerOf(id);
  if (!userId) throw challengeNotFound();
  const guess = await readGuess(deps, id, userId, passcode);
  note({ userId });
  const attempt = await judge(deps, id, userId, guess);
  try {
    if (attempt.outcome !== "accepted") throw await refuse(deps, id, attempt, guess, origin);
    const opens = await underKeyRequirement(deps, userId, attempt);
    if (opens.scope === "setup" && terms.setup === "refused")
      throw new Problem("setup_only", "User must setup multi-factor with a security key");
    const { recoveryHashes: hashes } = guess;
    const recoveryCodesRemaining =
      attempt.factor === "recovery_code" && hashes
        ? await spendRecoveryCode(deps, { userId, challengeId: id, hashes })
        : undefined;
    const answer = answerOf(guess, opens);
    const completed = await completeChallenge(deps, id, answer, origin, terms);
    return { ...completed, recoveryCodesRemaining };
  } catch (error) {
    await refundOrCharge(deps, error, { userId, kind: "passcode" }, origin, (budget) =>
      refundAttempt(deps.redis, { challengeId: id, attempt, ...budget }),
    );
    throw error;
  }
}

function answerOf(guess: Guess, accepted: Accepted & { at: number }): Answer {
  const { factor } = accepted;
  const step = factor === "otp" ? accepted : undefined;
  const match = guess.otpMatches?.find(({ deviceId }) => deviceId === step?.deviceId);
  return {
    ...accepted,
    amr: AMR[factor],
    device: match && { id: match.deviceId, name: match.device },
    otpStep: step && { deviceId: step.deviceId, step: step.step },
  };
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
    case "completed":
    case "expired":
      return endedProblem(deps, id, attempt.outcome);
    case "spent":
      return endedProblem(deps, id, attempt.justSpent ? "just_spent" : "spent");
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
    case "key_required":
      return keyRequired();
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
