import { hashCode } from "../../store/codes.ts";
import { isId, newId, OPERATOR_ID } from "../../store/ids.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import type { User } from "../../store/postgres/schema.ts";
import { searchUsers } from "../../store/postgres/user-lists.ts";
import { getUser } from "../../store/postgres/users.ts";
import { MINUTE_MS } from "../../units.ts";
import { type Actor, actorsEvent, requireStillActing } from "../actors.ts";
import { subjectOf } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChangeByOthersOrSkip } from "../limits/changes.ts";
import { endLock, lockedSince } from "../login/lock.ts";
import { Problem } from "../problem.ts";
import { endSessions } from "../sessions/sessions.ts";

/** How many users a search finds at most. */
export const MAX_FOUND = 20;

/** At most `MAX_FOUND` users: the user with this ID, or those whose user name starts with the query. */
export async function findUsers({ db }: Pick<CoreDeps, "db">, query: string): Promise<User[]> {
  const byId = isId(query) && (await getUser(db, query));
  return byId ? [byId] : searchUsers(db, query, MAX_FOUND);
}

/** The user with this ID. Throws `user_not_found`. */
export async function userOf({ db }: Pick<CoreDeps, "db">, userId: string): Promise<User> {
  const user = isId(userId) && (await getUser(db, userId));
  if (!user)
    throw new Problem("user_not_found", "Search for the user by the start of the user name.");
  return user;
}

/** Look-ups are grouped by clock spans of this length: 12:00 to 12:10, and so on. */
const LOOK_MS = 10 * MINUTE_MS;

/**
 * Records that somebody looked up the user, and the reason if they gave one. Look-ups for the same
 * reason, or without one, by the same session from the same address are recorded once per span, so
 * that reloads usually add nothing.
 */
export async function recordLookUp(
  deps: Pick<CoreDeps, "db" | "clock" | "config">,
  user: User,
  actor: Actor,
  reason?: string,
): Promise<void> {
  const event = actorsEvent(deps, user, "user_looked_up", actor, { reason });
  const time = Math.floor(deps.clock.now() / LOOK_MS);
  const { session, origin } = actor;
  const sessionId = session === OPERATOR_ID ? session : session.id;
  // Hashed, so that whoever reads the event does not learn Support's address.
  const from = hashCode(deps.config.CODE_KEY, "look", sessionId, origin.ip ?? "");
  const why = reason ? hashCode(deps.config.CODE_KEY, "look", reason) : "";
  const key = `${event.type}/${user.id}/${actor.actorId}/${from}/${time}/${why}`;
  await recordEvent(deps.db, { ...event, key });
}

/** Ends the user's lock. If the user is not locked, does nothing and answers `changed: false`. */
export async function unlock(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  user: User,
  actor: Actor,
  reason: string,
): Promise<{ changed: boolean }> {
  requireAnother(user, actor);
  // A lock known only to Redis is recorded without Support's IP address.
  const since = await lockedSince(deps, user, {});
  if (!since) return { changed: false };
  const event = actorsEvent(deps, user, "account_unlocked", actor, { reason });
  const changed = await holdingUser(deps.db, user.id, async (tx) => {
    await requireStillActing({ ...deps, db: tx }, actor);
    return endLock({ ...deps, db: tx }, user.id, event);
  });
  return { changed };
}

/**
 * Removes every device of the user, makes the recovery codes void and ends every session. `changed`
 * is false if there was no device; the sessions end in either case. Callers are Support, the
 * administrators of the user's account (Identity API) and the operator's command line.
 */
export async function resetMultiFactor(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config" | "flows">,
  user: User,
  actor: Actor,
  reason: string,
): Promise<{ changed: boolean }> {
  const { actorId, origin, session } = actor;
  requireAnother(user, { actorId });
  const devices = await listDevices(deps.db, user.id);
  const reset = async () => {
    await requireStillActing(deps, actor);
    await deps.flows.removeDevices({
      removalId: newId(),
      ...subjectOf(user),
      actorId,
      event: "multi_factor_reset",
      detail: { reason },
      origin,
      signOut: "always",
    });
  };
  if (devices.length > 0 || session === OPERATOR_ID) await reset();
  else {
    await requireStillActing(deps, actor);
    // Not charged and done first: no budget may keep a user from being logged out.
    await endSessions(deps, user.id, "multi_factor_reset");
    // Each such reset leaves an event, a history and a notice, so only so many a day are recorded.
    await payForChangeByOthersOrSkip(deps, user.id, reset);
  }
  return { changed: devices.length > 0 };
}

function requireAnother(user: User, { actorId }: Pick<Actor, "actorId">) {
  if (user.id === actorId)
    throw new Problem("not_yourself", "You can't do this to your own account. Ask a colleague.");
}
