import { and, asc, eq, inArray, isNull, lt, or, sql } from "drizzle-orm";
import type { Db } from "../connect.ts";
import { type AuditEvent, eventQueue, events } from "../schema.ts";

/**
 * Events whose follow-ups have not started yet, oldest first. For `claimMs` no other caller gets
 * them. They come again after that if they are neither forgotten nor released, as after a crash.
 */
export async function claimQueuedEvents(
  db: Db,
  { limit, claimMs }: { limit: number; claimMs: number },
): Promise<AuditEvent[]> {
  const free = db
    .select({ eventId: eventQueue.eventId })
    .from(eventQueue)
    .where(or(isNull(eventQueue.claimedUntil), lt(eventQueue.claimedUntil, sql`now()`)))
    .orderBy(asc(eventQueue.eventId))
    .limit(limit)
    .for("update", { skipLocked: true });
  // By PostgreSQL's clock, which all callers share.
  const claimed = await db
    .update(eventQueue)
    .set({ claimedUntil: sql`now() + ${claimMs} * interval '1 millisecond'` })
    // An array, because a plan may run a subquery of `in` more than once.
    .where(eq(eventQueue.eventId, sql`any(array(${free}))`))
    .returning({ eventId: eventQueue.eventId });
  if (claimed.length === 0) return [];
  const ids = claimed.map(({ eventId }) => eventId);
  const rows = await db
    .select({ event: events })
    .from(eventQueue)
    .innerJoin(events, and(eq(events.id, eventQueue.eventId), eq(events.at, eventQueue.at)))
    .where(inArray(eventQueue.eventId, ids))
    .orderBy(asc(eventQueue.eventId));
  return rows.map(({ event }) => event);
}

export type QueuedEvents = { waiting: number; oldest?: Date };

/** How many events still wait for their follow-ups to start, and when the oldest one happened. */
export async function queuedEvents(db: Db): Promise<QueuedEvents> {
  const [oldest] = await db
    .select({ at: eventQueue.at })
    .from(eventQueue)
    .orderBy(asc(eventQueue.eventId))
    .limit(1);
  return { waiting: await db.$count(eventQueue), oldest: oldest?.at };
}

/** Removes events from the queue, once their follow-ups have started. */
export async function forgetQueuedEvents(db: Db, claimed: readonly AuditEvent[]): Promise<void> {
  await db.delete(eventQueue).where(isOneOf(claimed));
}

/** Leaves events to the next caller, because their follow-ups could not start. */
export async function releaseQueuedEvents(db: Db, claimed: readonly AuditEvent[]): Promise<void> {
  await db.update(eventQueue).set({ claimedUntil: null }).where(isOneOf(claimed));
}

const isOneOf = (listed: readonly AuditEvent[]) =>
  inArray(
    eventQueue.eventId,
    listed.map(({ id }) => id),
  );
