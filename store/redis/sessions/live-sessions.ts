import { MINUTE_MS } from "../../../units.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";
import { readGeneration } from "./generation.ts";
import { readAccountRevocation, readUserRevocation } from "./revocations.ts";
import {
  fromFields,
  hasKey,
  isSecret,
  parseToken,
  type Session,
  type SessionRecord,
  type SessionState,
  stateOf,
} from "./session-records.ts";

const TOUCH_MS = MINUTE_MS;

/** The state of the session that was asked for. */
export type CheckedSession = SessionState | { ok: false; code: "session_unknown" };

/**
 * The session of a token, or why it is not live. Records at most once a minute that it was seen.
 */
export async function checkSession(
  redis: Redis,
  token: string,
  at: { now: number; idleMs: number },
): Promise<CheckedSession> {
  const parts = parseToken(token);
  if (!parts) {
    return { ok: false, code: "session_unknown" };
  }
  const { record, state } = await readSession(redis, parts, at);
  if (!record || !isSecret(record, parts.secret)) {
    return { ok: false, code: "session_unknown" };
  }
  const { session } = record;
  if (state.ok && at.now - session.lastSeenAt >= TOUCH_MS) {
    await redis.touchSession([keys.session(session.userId, session.id)], [at.now]);
  }
  return state;
}

/** The current state of a session whose token was checked before. */
export async function recheckSession(
  redis: Redis,
  session: Pick<Session, "userId" | "id">,
  at: { now: number; idleMs: number },
): Promise<CheckedSession> {
  return (await readSession(redis, session, at)).state;
}

async function readSession(
  redis: Redis,
  { userId, id }: Pick<Session, "userId" | "id">,
  at: { now: number; idleMs: number },
): Promise<{ record?: SessionRecord; state: CheckedSession }> {
  // One round trip. The session is read first, so that a revocation in between is seen.
  const [record, user, generation] = await Promise.all([
    readRecord(redis, userId, id),
    readUserRevocation(redis, userId),
    readGeneration(redis),
  ]);
  if (!record) return { state: { ok: false, code: "session_unknown" } };
  const { session } = record;
  const account = hasKey(session)
    ? undefined
    : await readAccountRevocation(redis, session.accountId);
  return { record, state: stateOf(record, { user, account, generation }, at) };
}

/** The user's live sessions; the one that expires last comes first. */
export async function listSessions(
  redis: Redis,
  user: { userId: string; accountId: string },
  at: { now: number; idleMs: number },
): Promise<Session[]> {
  const { userId, accountId } = user;
  const ids = await redis.zRange(keys.sessions(userId), 0, -1, { REV: true });
  const records = await Promise.all(ids.map((id) => readRecord(redis, userId, id)));
  const [userMark, accountMark, generation] = await Promise.all([
    readUserRevocation(redis, userId),
    readAccountRevocation(redis, accountId),
    readGeneration(redis),
  ]);
  return records.flatMap((record) => {
    if (!record) {
      return [];
    }
    const account = hasKey(record.session) ? undefined : accountMark;
    const state = stateOf(record, { user: userMark, account, generation }, at);
    return state.ok ? [state.session] : [];
  });
}

/** The session as stored, live or not. */
export async function readRecord(
  redis: Redis,
  userId: string,
  sessionId: string,
): Promise<SessionRecord | undefined> {
  return fromFields(sessionId, await redis.hGetAll(keys.session(userId, sessionId)));
}
