import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { listOpenChallenges } from "../../store/redis/second-step/challenges.ts";
import type { FailedLogins } from "../../store/redis/sessions/failed-logins.ts";
import { listSessions } from "../../store/redis/sessions/live-sessions.ts";
import { revokeUser } from "../../store/redis/sessions/revocations.ts";
import type {
  KEY_REQUIRED,
  POLICY_REQUIRED,
  Session,
} from "../../store/redis/sessions/session-records.ts";
import {
  keepOneSession,
  revokeSession,
  revokeSessionsThat,
} from "../../store/redis/sessions/sessions.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { requireRecentLogin } from "./recent-login.ts";

/** A new session as the login answers it. The token is shown only here. */
export type OpenedSession = {
  token: string;
  id: string;
  scope: Session["scope"];
  amr: string[];
  expiresAt: string;
};

/** Why one session ends. */
type EndReason =
  | "signed_out"
  | "ended_by_user"
  | "ended_by_administrator"
  | "role_changed"
  | typeof POLICY_REQUIRED
  | typeof KEY_REQUIRED;

/**
 * Ends one session of the user. Its holder is told the reason. False if there is none or it was ended
 * before.
 */
export function endSession(
  { redis, clock }: Pick<CoreDeps, "redis" | "clock">,
  { userId, id }: Pick<Session, "userId" | "id">,
  reason: EndReason,
): Promise<boolean> {
  return revokeSession(redis, { userId, sessionId: id, reason, now: clock.now() });
}

/** Ends every session of the user and every login under way. Their holders are told the reason. */
export function endSessions(
  { redis, clock }: Pick<CoreDeps, "redis" | "clock">,
  userId: string,
  reason: string,
): Promise<void> {
  return revokeUser(redis, userId, { reason, now: clock.now(), fact: newId() });
}

/** The user's live sessions; the one that ends last comes first. */
export function liveSessions(
  { redis, clock, config }: Pick<CoreDeps, "redis" | "clock" | "config">,
  user: { userId: string; accountId: string },
): Promise<Session[]> {
  return listSessions(redis, user, { now: clock.now(), idleMs: config.limits.session.idleMs });
}

/** As `revokeSessionsThat`, now. */
export function endSessionsThat(
  { redis, clock, config }: Pick<CoreDeps, "redis" | "clock" | "config">,
  user: { userId: string; accountId: string },
  isOver: (session: Session) => boolean,
  reason: EndReason,
): Promise<void> {
  const { idleMs } = config.limits.session;
  return revokeSessionsThat(redis, user, isOver, { now: clock.now(), idleMs, reason });
}

/**
 * Ends one of the caller's sessions; false if there is none or it was ended before. Only the
 * session of the request ends without a recent login (ASVS 5.0, 7.5.2). Throws
 * `reauthentication_required`.
 */
export async function endOwnSession(
  deps: EndDeps,
  session: Session,
  id: string,
  origin: ClientInfo,
): Promise<boolean> {
  if (id !== session.id) await requireRecentLogin(deps, session);
  const ended = await endSession(deps, { userId: session.userId, id }, "ended_by_user");
  if (ended && id !== session.id) await recordEnd(deps, session, origin, 1);
  return ended;
}

/**
 * Ends a session of another user, whom the caller administers. Throws `reauthentication_required`.
 */
export async function endSessionOfOther(
  deps: EndDeps,
  caller: Session,
  session: Session,
  origin: ClientInfo,
): Promise<void> {
  await requireRecentLogin(deps, caller);
  if (await endSession(deps, session, "ended_by_administrator"))
    await recordEnd(deps, session, origin, 1, caller.userId);
}

/**
 * Ends every session of the user except the caller's, and every login under way. Answers how many
 * sessions ended; a repeated call answers 0. Throws `reauthentication_required` (ASVS 5.0, 7.5.2:
 * without a recent login, a stolen session could keep its owner out), and `session_revoked` if the
 * caller's session has ended.
 */
export async function endOtherSessions(
  deps: EndDeps,
  session: Session,
  origin: ClientInfo,
): Promise<number> {
  await requireRecentLogin(deps, session);
  const { redis, clock } = deps;
  const now = clock.now();
  const ended = (await liveSessions(deps, session)).filter(({ id }) => id !== session.id).length;
  const underWay = (await listOpenChallenges(redis, session.userId, now)).length;
  const mark = { now, reason: "ended_by_user", fact: newId() };
  if (!(await keepOneSession(redis, session, mark)))
    throw new Problem("session_revoked", undefined, { members: { reason: "ended_by_user" } });
  if (ended + underWay > 0) await recordEnd(deps, session, origin, ended);
  return ended;
}

type EndDeps = Pick<CoreDeps, "db" | "redis" | "clock" | "config">;

function recordEnd(
  deps: EndDeps,
  session: Session,
  origin: ClientInfo,
  ended: number,
  actorId = session.userId,
) {
  const event = userEvent(deps, session, "other_sessions_ended", origin, { ended });
  return recordEvent(deps.db, { ...event, actorId });
}

/**
 * The failed logins since the last successful one. The next successful login reports them, once.
 */
export type FailedAttempts = { count: number; since: string };

/**
 * The failed logins found when the session was opened, as a member of the answer; empty if none
 * failed.
 */
export function failedAttemptsOf({ failedLogins }: { failedLogins?: FailedLogins }): {
  failedAttempts?: FailedAttempts;
} {
  if (!failedLogins) return {};
  const { count, since } = failedLogins;
  return { failedAttempts: { count, since: iso(since) } };
}

const iso = (ms: number) => new Date(ms).toISOString();

/** A session that was just opened, in the form of the answer. */
export function openedSession({
  token,
  session: { id, scope, amr, expiresAt },
}: {
  token: string;
  session: Session;
}): OpenedSession {
  return { token, id, scope, amr, expiresAt: iso(expiresAt) };
}

/** A session as its owner sees it in a list. `currentId` is the session that asks. */
export function describeSession(session: Session, currentId: string) {
  const { id, scope, amr, ip, userAgent } = session;
  return {
    id,
    scope,
    amr,
    authenticatedAt: iso(session.authenticatedAt),
    createdAt: iso(session.createdAt),
    lastSeenAt: iso(session.lastSeenAt),
    expiresAt: iso(session.expiresAt),
    ip: ip ?? null,
    userAgent: userAgent ?? null,
    current: id === currentId,
  };
}
