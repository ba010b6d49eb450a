import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events.ts";
import type { FailedLogins } from "../../store/redis/sessions/failed-logins.ts";
import { listSessions } from "../../store/redis/sessions/live-sessions.ts";
import {
  keepOneSession,
  revokeSession,
  revokeUser,
  type Session,
} from "../../store/redis/sessions/sessions.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/** A new session as the login answers it. The token is shown only here. */
export type OpenedSession = {
  token: string;
  id: string;
  scope: Session["scope"];
  amr: string[];
  expiresAt: string;
};

/**
 * Ends one session of the user. Its holder is told the reason. False if there is none or it was ended
 * before.
 */
export function endSession(
  { redis, clock }: Pick<CoreDeps, "redis" | "clock">,
  { userId, id }: Pick<Session, "userId" | "id">,
  reason: "signed_out" | "ended_by_user",
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

/**
 * Ends every session of the user except the caller's, and every login under way. Answers how many
 * sessions ended; a repeated call answers 0. Throws `session_revoked` if the caller's session has
 * ended.
 */
export async function endOtherSessions(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  session: Session,
  origin: ClientInfo,
): Promise<number> {
  const { db, redis, clock, config } = deps;
  const now = clock.now();
  const live = await listSessions(redis, session, { now, idleMs: config.limits.session.idleMs });
  const ended = live.filter(({ id }) => id !== session.id).length;
  const mark = { now, reason: "ended_by_user", fact: newId() };
  if (!(await keepOneSession(redis, session, mark)))
    throw new Problem("session_revoked", undefined, { members: { reason: "ended_by_user" } });
  if (ended > 0)
    await recordEvent(db, userEvent(deps, session, "other_sessions_ended", origin, { ended }));
  return ended;
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
