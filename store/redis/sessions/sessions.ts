import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { atMost, keep, keys } from "../keys.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { failedLoginsOf } from "./failed-logins.ts";
import { readRecord } from "./live-sessions.ts";
import type { Epochs } from "./revocations.ts";
import type { Session } from "./session-records.ts";
import { newToken, toFields } from "./session-records.ts";

/**
 * "stale": the user's sessions were ended since the epochs were read. "completed": the challenge
 * has become a session already. "locked": wrong passcodes locked the user since the right one.
 * "used": an outage gave the app's code back, and another login has used it since.
 */
export type Refusal = "stale" | "completed" | "locked" | "used";

export {
  type Epochs,
  readEpochs,
  revokeAccount,
  revokeUser,
  scheduleEnforcement,
} from "./revocations.ts";
export {
  hasSecondFactor,
  POLICY_REQUIRED,
  type Session,
  type SessionScope,
  type SessionState,
} from "./session-records.ts";

export type NewSession = Pick<
  Session,
  "userId" | "accountId" | "username" | "role" | "scope" | "amr" | "ip" | "userAgent"
> & {
  /** From `readEpochs`, before the login looked at the user's devices. */
  epochs: Epochs;
  now: number;
  lifetimeMs: number;
  /** Whether somebody will read of the failed logins: they are told once, and forgotten by that. */
  tellsFailedLogins?: boolean;
  /** The challenge that ends in this session; it is over then, and the count of wrong passcodes too. */
  challenge?: {
    id: string;
    wrongAllowed: number;
    /** What the app's code was of that answered it. */
    otpStep?: { deviceId: string; step: number };
  };
};

/** Makes a session in one atomic step, or tells why not. The token is to be seen here only. */
export async function openSession(
  redis: Redis,
  opening: NewSession,
): Promise<{ token: string; session: Session; failedLogins?: FailedLogins } | Refusal> {
  const { epochs, now, lifetimeMs, tellsFailedLogins, challenge, ...login } = opening;
  const { userId } = login;
  const { id, token, secretHash } = newToken(userId);
  const expiresAt = now + lifetimeMs;
  const times = { authenticatedAt: now, createdAt: now, lastSeenAt: now, expiresAt };
  const session: Session = { id, ...login, ...times };
  const [outcome, ...failed] = await redis.openSession(
    [
      keys.session(userId, id),
      keys.sessions(userId),
      keys.userRevocation(userId),
      keys.failedLogins(userId),
      ...(challenge
        ? [
            keys.challenge(userId, challenge.id),
            keys.failures(userId),
            keys.pendingFailures(userId),
            keys.otpSteps(userId),
          ]
        : []),
    ],
    [
      epochs.user,
      id,
      now,
      expiresAt,
      keep.sessionMargin,
      challenge?.wrongAllowed ?? "",
      atMost.sessions,
      tellsFailedLogins ? 1 : "",
      challenge?.otpStep?.deviceId ?? "",
      challenge?.otpStep?.step ?? "",
      challenge?.id ?? "",
      ...Object.entries(toFields({ session, epochs, secretHash })).flat(),
    ],
  );
  if (outcome !== "opened") return outcome as Refusal;
  return { token, session, failedLogins: failedLoginsOf(failed) };
}

/** Ends one session of the user at `now`; false when there is none or it was ended before. */
export async function revokeSession(
  redis: Redis,
  {
    userId,
    sessionId,
    reason,
    now,
  }: { userId: string; sessionId: string; reason: string; now: number },
): Promise<boolean> {
  const ended = await redis.endSession(
    [keys.session(userId, sessionId), keys.sessions(userId)],
    [sessionId, reason, now],
  );
  return ended === 1;
}

/**
 * Ends every other session of the user, and every login under way, in one atomic step; the caller has
 * just checked the session that stays. False when that one was ended meanwhile, and nothing is done.
 */
export async function keepOneSession(
  redis: Redis,
  { userId, id }: Pick<Session, "userId" | "id">,
  { now, reason, fact }: { now: number; reason: string; fact: string },
): Promise<boolean> {
  const kept = await redis.keepOneSession(
    [keys.session(userId, id), keys.userRevocation(userId)],
    [now, reason, fact],
  );
  return kept === 1;
}

/**
 * Gives a session another factor; the caller has just checked the session. Its login stays when it
 * was: a factor that is proven is none that somebody has logged in with.
 * With its first second factor every other session of the user ends, none of which has one: it may
 * be in the hands of who stole the password. Undefined when this one was ended meanwhile.
 */
export async function addFactor(
  redis: Redis,
  { sessionId, amr, now }: { sessionId: string; amr: readonly string[]; now: number },
): Promise<Session | undefined> {
  const userId = ownerOf(sessionId);
  if (!userId) {
    return undefined;
  }
  const done = await redis.strengthenSession(
    [keys.session(userId, sessionId), keys.userRevocation(userId)],
    [amr.join(" "), now, "device_verified", sessionId],
  );
  return done === 1 ? (await readRecord(redis, userId, sessionId))?.session : undefined;
}
