import type { Origin } from "../machines/methods.ts";
import { verifyPassword } from "../store/passwords.ts";
import { type NewEvent, recordEvent } from "../store/postgres/events.ts";
import { setPassword } from "../store/postgres/users.ts";
import type { Session } from "../store/redis/sessions.ts";
import { requireStillLive } from "./authenticate.ts";
import { judgeProof } from "./credentials.ts";
import type { Deps } from "./deps.ts";
import { userEvent } from "./events.ts";
import { requireFresh } from "./fresh.ts";
import { hashNewPassword } from "./new-passwords.ts";
import { requireStrong } from "./password-rule.ts";
import { forgetOrigins } from "./password-throttle.ts";
import { Problem } from "./problem.ts";
import { endSessions } from "./sessions.ts";

/**
 * Changes one's own password and ends every session of the user, this one too. Throws
 * `reauthentication_required`; `invalid_request` at `password` where the new one is too weak, and at
 * `currentPassword` where that is wrong, which costs a guess as at a login; `login_throttled`,
 * `too_many_requests`.
 */
export async function changeOwnPassword(
  deps: Deps,
  session: Session,
  { currentPassword, password }: { currentPassword: string; password: string },
  origin: Origin,
): Promise<void> {
  await requireFresh(deps, session);
  const { userId, username } = session;
  requireStrong(password, username);
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
  await requireStillLive(deps, session);
  const replacement = { userId, username, passwordHash, replaces: proven.passwordHash };
  const event = userEvent(deps, session, "password_changed", origin);
  if (!(await replacePassword(deps, replacement, event, origin))) throw wrongPassword();
}

/**
 * Gives the user another password, known by its hash, ends every session of theirs and forgets every
 * address that they logged in from but the one that the change comes from; false where it was to replace
 * one that is no longer theirs.
 */
export async function replacePassword(
  deps: Pick<Deps, "db" | "redis" | "clock" | "config">,
  { username, ...replacement }: Parameters<typeof setPassword>[1] & { username: string },
  event: NewEvent,
  origin: Origin,
): Promise<boolean> {
  const end = async () => {
    await endSessions(deps, replacement.userId, "password_changed");
    await forgetOrigins(deps, username, origin);
  };
  const replaced = await deps.db.transaction(async (tx) => {
    const changed = await setPassword(tx, replacement, event);
    // Before it counts: where sessions cannot be ended the password stays as it was.
    if (changed) await end();
    return changed;
  });
  // The password before may have logged somebody in meanwhile.
  if (replaced) await end();
  return replaced;
}

function wrongPassword(): Problem {
  const message = "That password is wrong. Check it and try again.";
  return new Problem("invalid_request", message, {
    errors: [{ path: "currentPassword", message }],
  });
}
