import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { atMost, keep, keys } from "../keys.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { failedLoginsOf } from "./failed-logins.ts";
import { listSessions, readRecord } from "./live-sessions.ts";
import type { Epochs } from "./revocations.ts";
import type { Session } from "./session-records.ts";
import { newToken, toFields } from "./session-records.ts";

/**
 * "stale": the user's sessions were ended after the epochs were read. "completed": the challenge
 * has already become a session. "locked": wrong passcodes have locked the user since the right one.
 * "used": an outage gave the app's code back, and another login has used it since.
 */
export type Refusal = "stale" | "completed" | "locked" | "used";

export type NewSession = Pick<
  Session,
  "userId" | "accountId" | "username" | "role" | "scope" | "amr" | "ip" | "userAgent"
> & {
  /** From `readEpochs`, read before the login looked at the user's devices. */
  epochs: Epochs;
  now: number;
  lifetimeMs: number;
  /**
   * For a set-up session, which ends early, the lifetime of a full one. If a user has too many
   * sessions the oldest is dropped, and not the one that ends first.
   */
  fullMs?: number;
  /** Whether the answer reports the failed logins. They are reported once and then deleted. */
  showsFailedLogins?: boolean;
  /**
   * The challenge that becomes this session. The challenge ends, and the count of wrong passcodes
   * is reset.
   */
  challenge?: {
    id: string;
    wrongAllowed: number;
    /** The device and time step of the app's code that answered it. */
    otpStep?: { deviceId: string; step: number };
  };
};

/** Opens a session in one atomic step, or answers why not. The token is available only here. */
export async function openSession(
  redis: Redis,
  opening: NewSession,
): Promise<{ token: string; session: Session; failedLogins?: FailedLogins } | Refusal> {
  const {
    epochs,
    now,
    lifetimeMs,
    fullMs = lifetimeMs,
    showsFailedLogins,
    challenge,
    ...login
  } = opening;
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
      showsFailedLogins ? 1 : "",
      challenge?.otpStep?.deviceId ?? "",
      challenge?.otpStep?.step ?? "",
      challenge?.id ?? "",
      now + fullMs,
      ...Object.entries(toFields({ session, epochs, secretHash })).flat(),
    ],
  );
  if (outcome !== "opened") return outcome as Refusal;
  return { token, session, failedLogins: failedLoginsOf(failed) };
}

/** Ends one session of the user at `now`; false if there is none or it was ended before. */
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
 * Ends those live sessions of the user that `isOver` picks, and no login under way. A repeat finds
 * none, so it is no way to keep somebody logged out.
 */
export async function revokeSessionsThat(
  redis: Redis,
  user: { userId: string; accountId: string },
  isOver: (session: Session) => boolean,
  { now, idleMs, reason }: { now: number; idleMs: number; reason: string },
): Promise<void> {
  const { userId } = user;
  const live = await listSessions(redis, user, { now, idleMs });
  await Promise.all(
    live
      .filter(isOver)
      .map(({ id: sessionId }) => revokeSession(redis, { userId, sessionId, reason, now })),
  );
}

/**
 * Ends every other session of the user, and every login under way, in one atomic step. The caller
 * has just checked the session that stays. Answers false, and does nothing, if that session has
 * ended since.
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
 * Adds a factor to a session that the caller has just checked. The time of its login does not
 * change, because proving a factor is not a login. If it is the session's first second factor,
 * every other session of the user ends: none of them has one, and the person who stole the password
 * may hold one. Undefined if this session has ended since.
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
