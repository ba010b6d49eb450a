import type { Factor, Origin } from "../machines/methods.ts";
import { hashCode } from "../store/codes.ts";
import { ownerOf } from "../store/ids.ts";
import { beforePasswords } from "../store/passwords.ts";
import { listDevices } from "../store/postgres/devices.ts";
import { canUseRecoveryCode, useRecoveryCode } from "../store/postgres/recovery-codes.ts";
import {
  type Accepted,
  type Attempt,
  checkPasscode,
  refundAttempt,
} from "../store/redis/attempts.ts";
import { openSession } from "../store/redis/sessions.ts";
import { readDigits } from "../store/typed-text.ts";
import { tell } from "../telemetry/facts.ts";
import {
  accountLocked,
  attemptsRemaining,
  challengeExpired,
  challengeNotFound,
  challengeUsed,
  refusal,
} from "./challenges.ts";
import type { Deps } from "./deps.ts";
import { tellingEnd } from "./login-facts.ts";
import { matchingStep, OTP_DIGITS } from "./otp.ts";
import { Problem } from "./problem.ts";
import { recordSuccess } from "./record-success.ts";
import { recoveryHash } from "./recovery-codes.ts";
import { note } from "./request-context.ts";
import { type OpenedSession, openedSession } from "./sessions.ts";

/** RFC 8176 names; the recovery code has none there and goes by its own. */
const AMR: Record<Factor, string[]> = {
  sms: ["pwd", "sms", "mfa"],
  otp: ["pwd", "otp", "mfa"],
  recovery_code: ["pwd", "recovery_code", "mfa"],
};

type Guess = Pick<Parameters<typeof checkPasscode>[1], "passcodeHash" | "otpMatches"> & {
  recoveryHash?: string;
};

export type Authenticated = {
  session: OpenedSession;
  /** How many recovery codes are left, where one was used. */
  recoveryCodesRemaining?: number;
};

/**
 * The second step of a login: any of the user's factors answers the challenge. Throws
 * `passcode_rejected` with `attemptsRemaining`, `account_locked` on the seventh wrong one,
 * `challenge_expired`, `illegal_transition` for a used challenge, `challenge_not_found`.
 */
export async function verifyPasscode(
  deps: Deps,
  id: string,
  passcode: string,
  origin: Origin,
): Promise<Authenticated> {
  const answered = beforePasswords(() => secondStep(deps, id, passcode, origin));
  return tellingEnd("passcode", answered, ({ session }) => ({
    outcome: "authenticated",
    method: FACTORS.find((factor) => session.amr.includes(factor)),
  }));
}

const FACTORS: Factor[] = ["sms", "otp", "recovery_code"];

async function secondStep(
  deps: Deps,
  id: string,
  passcode: string,
  origin: Origin,
): Promise<Authenticated> {
  const userId = ownerOf(id);
  if (!userId) throw challengeNotFound();
  const guess = await readGuess(deps, id, userId, passcode);
  note({ userId });
  const attempt = await judge(deps, id, userId, guess);
  try {
    if (attempt.outcome !== "accepted") throw await refuse(deps, id, attempt, origin);
    const recoveryCodesRemaining = await spendRecoveryCode(deps, id, userId, guess, attempt);
    await tellAccepted(deps, id, attempt.factor, origin);
    return {
      session: await open(deps, id, userId, attempt, origin),
      recoveryCodesRemaining,
    };
  } catch (error) {
    // An outage costs no attempt, and answers a right and a wrong passcode alike.
    if (!(error instanceof Problem) || error.status === 503)
      await refundAttempt(deps.redis, { challengeId: id, attempt });
    throw error;
  }
}

/** What the typed text could be: six digits of an app, seven of an SMS, or a recovery code. */
async function readGuess(
  deps: Deps,
  challengeId: string,
  userId: string,
  typed: string,
): Promise<Guess> {
  const digits = readDigits(typed);
  if (digits?.length === deps.config.limits.passcode.digits)
    return { passcodeHash: hashCode(deps.config.CODE_KEY, "passcode", challengeId, digits) };
  if (digits?.length === OTP_DIGITS) {
    const devices = await listDevices(deps.db, userId);
    const otpMatches = devices
      .filter(({ type, verifiedAt }) => type === "otp" && verifiedAt)
      .flatMap((device) => {
        const step = matchingStep(deps, device, digits);
        return step === undefined ? [] : [{ deviceId: device.id, step }];
      });
    return { otpMatches };
  }
  const hash = recoveryHash(deps, userId, typed);
  if (hash) return { recoveryHash: hash };
  throw new Problem(
    "invalid_request",
    "Passcodes have 6 or 7 digits. Recovery codes have 16 letters and digits.",
    {
      errors: [
        {
          path: "passcode",
          message: "Passcodes have 6 or 7 digits. Recovery codes have 16 letters and digits.",
        },
      ],
    },
  );
}

async function judge(
  { db, redis, clock, config }: Deps,
  challengeId: string,
  userId: string,
  { recoveryHash: hash, ...guess }: Guess,
): Promise<Attempt> {
  const recoveryMatches =
    hash !== undefined &&
    (await canUseRecoveryCode(db, { userId, hash, challengeId, at: new Date(clock.now()) }));
  const { wrongPasscodes: wrongAllowed } = config.limits;
  const attempt = { challengeId, now: clock.now(), ...guess, recoveryMatches, wrongAllowed };
  return checkPasscode(redis, attempt);
}

/** Tells the workflow of an attempt that failed; answers what the client is told. */
async function refuse(
  deps: Deps,
  id: string,
  attempt: Exclude<Attempt, Accepted>,
  origin: Origin,
): Promise<Problem> {
  switch (attempt.outcome) {
    case "unknown":
      return challengeNotFound();
    case "completed":
      return challengeUsed();
    case "expired":
      return challengeExpired();
    case "passcode_expired":
      return new Problem("passcode_expired", "Request a new passcode.");
    case "locked":
      if (attempt.justLocked) tell("lock", {});
      await deps.flows.moveChallenge(id, "lockAccount", { origin }, "lock");
      return accountLocked();
    case "rejected": {
      const { failures } = attempt;
      const { moved, view } = await deps.flows.moveChallenge(id, "rejectPasscode", { failures });
      if (!moved) return refusal(view);
      return new Problem("passcode_rejected", "That passcode is wrong. Check it and try again.", {
        members: { attemptsRemaining: attemptsRemaining(deps.config.limits, failures) },
      });
    }
  }
}

/** Takes the code out of circulation; a race for it is lost here, as a wrong passcode. */
async function spendRecoveryCode(
  { db, clock }: Deps,
  challengeId: string,
  userId: string,
  { recoveryHash: hash }: Guess,
  { factor }: { factor: Factor },
): Promise<number | undefined> {
  if (factor !== "recovery_code" || !hash) return undefined;
  const spent = await useRecoveryCode(db, { userId, hash, challengeId, at: new Date(clock.now()) });
  if (!spent) throw new Problem("passcode_rejected", "That recovery code has been used.");
  return spent.remaining;
}

/**
 * Moves the workflow to `authenticated`. A repeated request finds it there already: that is no
 * refusal, since the session, opened once a challenge, decides who wins.
 */
async function tellAccepted(deps: Deps, id: string, factor: Factor, origin: Origin) {
  const facts = { factor, origin };
  const { moved, view } = await deps.flows.moveChallenge(id, "acceptPasscode", facts, "accept");
  if (!moved && view.state !== "authenticated") throw refusal(view);
}

async function open(
  deps: Deps,
  challengeId: string,
  userId: string,
  { accountId, epochs, factor }: Accepted,
  origin: Origin,
): Promise<OpenedSession> {
  const { redis, clock, config } = deps;
  // Before the session: a crash in between leaves no session without its event.
  const user = await recordSuccess(deps, { userId, accountId, challengeId }, factor, origin);
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
    challenge: { id: challengeId, wrongAllowed: config.limits.wrongPasscodes },
    ...origin,
  });
  if (opened === "completed") throw challengeUsed();
  if (opened === "locked") throw accountLocked();
  if (opened === "stale")
    throw new Problem("challenge_expired", "Your devices changed in the meantime. Log in again.");
  return openedSession(opened);
}
