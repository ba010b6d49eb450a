import { newId } from "../store/ids.ts";
import { revokeUser, type Session } from "../store/redis/sessions.ts";
import type { Deps } from "./deps.ts";

/** A session as the login that opened it answers it; the token is shown here only. */
export type OpenedSession = {
  token: string;
  id: string;
  scope: Session["scope"];
  amr: string[];
  expiresAt: string;
};

/** Ends every session of the user and every login under way; whoever had one is told the reason. */
export function endSessions(
  { redis, clock }: Pick<Deps, "redis" | "clock">,
  userId: string,
  reason: string,
): Promise<void> {
  return revokeUser(redis, userId, { reason, now: clock.now(), fact: newId() });
}

const iso = (ms: number) => new Date(ms).toISOString();

/** The answer's form of a session just opened. */
export function openedSession({
  token,
  session: { id, scope, amr, expiresAt },
}: {
  token: string;
  session: Session;
}): OpenedSession {
  return { token, id, scope, amr, expiresAt: iso(expiresAt) };
}

/** A session as its owner sees it in a list, asked for from the session `currentId`. */
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
