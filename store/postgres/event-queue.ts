import { asc, eq, inArray } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { type AuditEvent, eventQueue, events } from "./schema.ts";

/**
 * Events that nobody has passed on yet, the oldest first. They are this transaction's until it ends:
 * whoever asks meanwhile gets others.
 */
export function takeQueuedEvents(tx: Db, limit: number): Promise<AuditEvent[]> {
  return tx
    .select({ event: events })
    .from(eventQueue)
    .innerJoin(events, eq(events.id, eventQueue.eventId))
    .orderBy(asc(eventQueue.eventId))
    .limit(limit)
    .for("update", { of: eventQueue, skipLocked: true })
    .then((rows) => rows.map(({ event }) => event));
}

/** How many events nobody has passed on yet. */
export const countQueuedEvents = (db: Db): Promise<number> => db.$count(eventQueue);

/** These events have been passed on. */
export async function forgetQueuedEvents(tx: Db, taken: readonly AuditEvent[]): Promise<void> {
  const ids = taken.map(({ id }) => id);
  await tx.delete(eventQueue).where(inArray(eventQueue.eventId, ids));
}
