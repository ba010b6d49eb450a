import type { Origin } from "../machines/methods.ts";
import { newId } from "../store/ids.ts";
import { hashPassword, verifyPassword } from "../store/passwords.ts";
import { recordEvent } from "../store/postgres/events.ts";
import { setPassword } from "../store/postgres/users.ts";
import { revokeUser, type Session } from "../store/redis/sessions.ts";
import { judgeProof } from "./credentials.ts";
import type { Deps } from "./deps.ts";
import { userEvent } from "./events.ts";
import { requireFresh } from "./fresh.ts";
import { requireStrong } from "./password-rule.ts";
import { Problem } from "./problem.ts";

/**
 * Changes one's own password and ends every session of the user, this one too. Throws
 * `reauthentication_required`; `invalid_request` at `password` where the new one is too weak, and at
 * `currentPassword` where that is wrong, which costs a guess as at a login; `login_throttled`.
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
  const { user, right } = await judgeProof(
    deps,
    username,
    (known) => verifyPassword(known?.passwordHash, currentPassword),
    origin,
  );
  if (!user || !right) {
    await recordEvent(deps.db, userEvent(deps, session, "password_change_failed", origin));
    throw wrongPassword();
  }
  const { passwordHash: replaces } = user;
  const passwordHash = await hashPassword(password);
  const event = userEvent(deps, session, "password_changed", origin);
  await deps.db.transaction(async (tx) => {
    if (!(await setPassword(tx, { userId, passwordHash, replaces }, event))) throw wrongPassword();
    // Before it counts: where sessions cannot be ended the password stays as it was.
    await endSessions(deps, userId);
  });
  // The password before may have logged somebody in meanwhile.
  await endSessions(deps, userId);
}

const endSessions = ({ redis, clock }: Deps, userId: string) =>
  revokeUser(redis, userId, { reason: "password_changed", now: clock.now(), fact: newId() });

function wrongPassword(): Problem {
  const message = "That is not your password. Check it and try again.";
  return new Problem("invalid_request", message, {
    errors: [{ path: "currentPassword", message }],
  });
}
