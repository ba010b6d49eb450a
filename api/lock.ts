import type { Origin } from "../machines/methods.ts";
import type { NewEvent } from "../store/postgres/events.ts";
import type { User } from "../store/postgres/schema.ts";
import { getUser, lockUser, unlockUser } from "../store/postgres/users.ts";
import { clearFailures, failures } from "../store/redis/attempts.ts";
import { accountLocked } from "./challenges.ts";
import type { Deps } from "./deps.ts";
import { subjectOf, userEvent } from "./events.ts";

const MINUTE_MS = 60_000;

type LockDeps = Pick<Deps, "db" | "redis" | "clock" | "config">;

/**
 * Since when the user is locked, by the system of record; the counter's lock is written down first
 * where a crash kept it from being.
 */
export async function lockedSince(
  deps: LockDeps,
  user: User,
  origin: Origin,
): Promise<Date | undefined> {
  if (user.lockedAt) return user.lockedAt;
  const { db, redis, clock, config } = deps;
  const now = clock.now();
  const exhausted = (await failures(redis, user.id, now)) > config.limits.wrongPasscodes;
  if (!exhausted) return undefined;
  const at = new Date(now);
  const event = userEvent(deps, subjectOf(user), "account_locked", origin);
  await lockUser(db, { userId: user.id, at }, event);
  return at;
}

/**
 * Ends the user's lock, or only the one of that time; false when there was none. The counter goes
 * first: a crash in between leaves the user locked.
 */
export async function endLock(
  { db, redis }: Pick<LockDeps, "db" | "redis">,
  userId: string,
  event: NewEvent,
  since?: Date,
): Promise<boolean> {
  await clearFailures(redis, userId);
  return unlockUser(db, userId, event, since);
}

/**
 * Refuses a locked user with `account_locked`. Where LOCK_MINUTES is set, a lock as old as that is
 * ended by the service itself instead.
 */
export async function refuseLocked(deps: LockDeps, user: User, origin: Origin): Promise<void> {
  const since = await lockedSince(deps, user, origin);
  if (!since) return;
  const { LOCK_MINUTES: minutes } = deps.config;
  if (minutes === 0 || deps.clock.now() - since.getTime() < minutes * MINUTE_MS)
    throw accountLocked();
  const event = userEvent(deps, subjectOf(user), "account_unlocked", origin, { minutes });
  const ended = await endLock(deps, user.id, { ...event, actorId: null }, since);
  // Another login ended it at the same time, or the user is locked again.
  if (!ended && (await getUser(deps.db, user.id))?.lockedAt) throw accountLocked();
}
