import type { ClientInfo } from "../../machines/methods.ts";
import { verifyPassword } from "../../store/passwords.ts";
import { type NewEvent, recordEvent } from "../../store/postgres/events/events.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { setPassword } from "../../store/postgres/users.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { type Actor, requireStillActing } from "../actors.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { judgeProof } from "../login/credentials.ts";
import { forgetAddressesOf } from "../login/password-limits.ts";
import { Problem } from "../problem.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { endSessions } from "../sessions/sessions.ts";
import { hashNewPassword } from "./new-passwords.ts";
import { requireStrong } from "./password-rule.ts";

/**
 * Changes the user's own password and ends every session of theirs, the current one included.
 * Throws `reauthentication_required`, `invalid_request` at `password` if the new one is too weak,
 * `invalid_request` at `currentPassword` if that is wrong (which costs a guess, as at a login),
 * `login_throttled`, `too_many_requests`.
 */
export async function changeOwnPassword(
  deps: CoreDeps,
  session: Session,
  { currentPassword, password }: { currentPassword: string; password: string },
  origin: ClientInfo,
): Promise<void> {
  await requireRecentLogin(deps, session);
  const { userId, username } = session;
  requireStrong(deps.config.limits, password, username);
  const { proven } = await judgeProof(
    deps,
    username,
    (known) => verifyPassword(known?.passwordHash, currentPassword),
    origin,
  );
  if (!proven) {
    await recordEvent(deps.db, userEvent(deps, session, "password_change_failed", origin));
    throw wrongPassword();
  }
  const passwordHash = await hashNewPassword(deps, userId, password);
  const replacement = { userId, username, passwordHash, replaces: proven.passwordHash };
  const event = userEvent(deps, session, "password_changed", origin);
  const actor = { actorId: userId, origin, session };
  if (!(await replacePassword(deps, replacement, event, actor))) throw wrongPassword();
}

/**
 * Stores the hash of the user's new password, ends every session of theirs and forgets every
 * address they logged in from, except the one of this change. Answers false if the password to
 * replace is no longer the current one. Throws as `requireStillLive` if the actor may no longer
 * act.
 */
export async function replacePassword(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  { username, ...replacement }: Parameters<typeof setPassword>[1] & { username: string },
  event: NewEvent,
  actor: Actor,
): Promise<boolean> {
  const end = async () => {
    // First: if this fails, nobody has yet been told that the password was changed.
    await forgetAddressesOf(deps, username, actor.origin);
    await endSessions(deps, replacement.userId, "password_changed");
  };
  const replaced = await holdingUser(deps.db, replacement.userId, async (tx) => {
    await requireStillActing({ ...deps, db: tx }, actor);
    const changed = await setPassword(tx, replacement, event);
    // Before the commit: if the sessions cannot be ended, the password stays unchanged.
    if (changed) await end();
    return changed;
  });
  // Again after the commit: the old password may have opened a session in the meantime.
  if (replaced) await end();
  return replaced;
}

function wrongPassword(): Problem {
  const message = "That password is wrong. Check it and try again.";
  return new Problem("invalid_request", message, {
    errors: [{ path: "currentPassword", message }],
  });
}
