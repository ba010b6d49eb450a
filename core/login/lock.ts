import type { ClientInfo } from "../../machines/methods.ts";
import type { NewEvent } from "../../store/postgres/events/events.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import type { User } from "../../store/postgres/schema.ts";
import { getUser, lockUser, unlockUser } from "../../store/postgres/users.ts";
import { clearFailures, failures } from "../../store/redis/second-step/failures.ts";
import { MINUTE_MS } from "../../units.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { accountLocked } from "./challenges.ts";

type LockDeps = Pick<CoreDeps, "db" | "redis" | "clock" | "config">;

/**
 * Since when the user is locked, according to PostgreSQL. If a crash left a lock only in the Redis
 * counter, it is first written to PostgreSQL.
 */
export async function lockedSince(
  deps: LockDeps,
  user: User,
  origin: ClientInfo,
): Promise<Date | undefined> {
  if (user.lockedAt) return user.lockedAt;
  if (!(await isExhausted(deps, user))) return undefined;
  const { db, clock } = deps;
  const at = new Date(clock.now());
  const event = userEvent(deps, subjectOf(user), "account_locked", origin);
  return holdingUser(db, user.id, async (tx) => {
    // Support may have ended the lock in the meantime.
    if (!(await isExhausted(deps, user))) return undefined;
    const isNew = await lockUser(tx, { userId: user.id, at }, event);
    return isNew ? at : ((await getUser(tx, user.id))?.lockedAt ?? undefined);
  });
}

const isExhausted = async ({ redis, clock, config }: LockDeps, { id }: User) =>
  (await failures(redis, id, clock.now())) > config.limits.wrongPasscodes;

/**
 * Ends the user's lock, or only the lock set at `since`. Answers false if there was none. The
 * counter is cleared first, so that a crash in between leaves the user locked.
 */
export async function endLock(
  { db, redis }: Pick<LockDeps, "db" | "redis">,
  userId: string,
  event: NewEvent,
  since?: Date,
): Promise<boolean> {
  return holdingUser(db, userId, async (tx) => {
    await clearFailures(redis, userId);
    return unlockUser(tx, userId, event, since);
  });
}

/**
 * Refuses a locked user with `account_locked`. If LOCK_MINUTES is set, a lock of that age is ended
 * instead.
 */
export async function refuseLocked(deps: LockDeps, user: User, origin: ClientInfo): Promise<void> {
  const since = await lockedSince(deps, user, origin);
  if (!since) return;
  const { LOCK_MINUTES: minutes } = deps.config;
  if (minutes === 0 || deps.clock.now() - since.getTime() < minutes * MINUTE_MS)
    throw accountLocked();
  const event = userEvent(deps, subjectOf(user), "account_unlocked", origin, { minutes });
  const ended = await endLock(deps, user.id, { ...event, actorId: null }, since);
  // Another login has just ended the lock, unless the user is locked again.
  if (!ended && (await getUser(deps.db, user.id))?.lockedAt) throw accountLocked();
}
