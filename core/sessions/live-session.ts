import { getUser } from "../../store/postgres/users.ts";
import {
  type CheckedSession,
  checkSession,
  recheckSession,
} from "../../store/redis/sessions/live-sessions.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { note } from "../../telemetry/request-context.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/** What the client is told, by the reason of the session's end. */
const ENDED: Record<string, string> = {
  device_verified: "Device verified. Log in again to start using it.",
  device_removed: "Your last device was removed. Log in to set up another.",
  key_removed: "A security key or passkey of yours was removed. Log in again.",
  all_devices_removed: "Your devices were removed. Log in to set up another.",
  multi_factor_reset: "Your multi-factor authentication was reset. Log in again.",
  policy_required: "Multi-factor authentication is now required. Log in to set it up.",
  key_required:
    "A security key or passkey is now required. Log in with yours, or log in to add one.",
  signed_out: "You logged out.",
  role_changed: "Your role was changed. Log in again.",
  password_changed: "Your password was changed. Log in with the new one.",
  api_key_changed: "Your API key was changed. Log in again.",
  ended_by_user: "You were logged out from another device.",
  ended_by_administrator: "An administrator of your account logged you out.",
  everybody_logged_out: "The service has logged everybody out. Log in again.",
};

/** Whether a set-up session is allowed. */
export type Admits = { setup?: boolean };

/**
 * The live session of a token. Throws `unauthenticated`, `session_expired`, `session_revoked`, and
 * `setup_only` for a set-up session where that is not allowed.
 */
export async function sessionOf(
  { redis, clock, config }: Pick<CoreDeps, "redis" | "clock" | "config">,
  token: string,
  { setup = false }: Admits = {},
): Promise<Session> {
  const { idleMs } = config.limits.session;
  const session = liveOf(await checkSession(redis, token, { now: clock.now(), idleMs }));
  note({ userId: session.userId });
  if (session.scope === "mfa_setup" && !setup)
    throw new Problem("setup_only", "Finish setting up multi-factor authentication first.");
  return session;
}

/**
 * Requires that the session has not ended since the request began, and that its user still has the
 * session's role. Call it after all slow work, right before the write or inside its transaction.
 * Throws `session_expired`, `session_revoked`, `unauthenticated`.
 */
export async function requireStillLive(
  { db, redis, clock, config }: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  session: Session,
): Promise<void> {
  const { idleMs } = config.limits.session;
  liveOf(await recheckSession(redis, session, { now: clock.now(), idleMs }));
  // A role changes just before the sessions end, so it is checked too.
  const user = await getUser(db, session.userId);
  if (user?.role !== session.role)
    liveOf({ ok: false, code: "session_revoked", reason: "role_changed" });
}

function liveOf(checked: CheckedSession): Session {
  if (checked.ok) return checked.session;
  if (checked.code === "session_unknown")
    throw new Problem("unauthenticated", "The session token is unknown or too old. Log in again.");
  const { reason } = checked;
  throw new Problem(checked.code, ENDED[reason], { members: { reason } });
}
