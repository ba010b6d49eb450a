import { and, asc, eq, inArray } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { type AuditEvent, eventQueue, events } from "./schema.ts";

/**
 * Events whose follow-ups have not started yet, oldest first. Their rows stay locked until the
 * transaction ends, so other callers get other events.
 */
export function takeQueuedEvents(tx: Db, limit: number): Promise<AuditEvent[]> {
  return tx
    .select({ event: events })
    .from(eventQueue)
    .innerJoin(events, and(eq(events.id, eventQueue.eventId), eq(events.at, eventQueue.at)))
    .orderBy(asc(eventQueue.eventId))
    .limit(limit)
    .for("update", { of: eventQueue, skipLocked: true })
    .then((rows) => rows.map(({ event }) => event));
}

export type QueuedEvents = { waiting: number; oldest?: Date };

/** How many events still wait for their follow-ups to start, and when the oldest one happened. */
export async function queuedEvents(db: Db): Promise<QueuedEvents> {
  const [oldest] = await db
    .select({ at: events.at })
    .from(eventQueue)
    .innerJoin(events, eq(events.id, eventQueue.eventId))
    .orderBy(asc(eventQueue.eventId))
    .limit(1);
  return { waiting: await db.$count(eventQueue), oldest: oldest?.at };
}

/** Removes events from the queue, once their follow-ups have started. */
export async function forgetQueuedEvents(tx: Db, taken: readonly AuditEvent[]): Promise<void> {
  const ids = taken.map(({ id }) => id);
  await tx.delete(eventQueue).where(inArray(eventQueue.eventId, ids));
}
