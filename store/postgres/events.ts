import { and, desc, eq, lt } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { type AuditEvent, events } from "./schema.ts";

/** `key` names the fact itself (say, `<workflow id>/verified`), so that a retry records nothing new. */
export type NewEvent = Omit<typeof events.$inferInsert, "id">;

/** Appends to the audit trail; answers whether the event was new. */
export async function recordEvent(db: Db, event: NewEvent): Promise<boolean> {
  const added = await db
    .insert(events)
    .values(event)
    .onConflictDoNothing({ target: events.key })
    .returning({ id: events.id });
  return added.length > 0;
}

export async function getEvent(db: Db, eventId: number): Promise<AuditEvent | undefined> {
  const [event] = await db.select().from(events).where(eq(events.id, eventId));
  return event;
}

/** The event of this key, where it was recorded before. */
export async function findEvent(db: Db, key: string): Promise<AuditEvent | undefined> {
  const [event] = await db.select().from(events).where(eq(events.key, key));
  return event;
}

export type EventQuery = ({ userId: string } | { accountId: string }) & {
  /** Cursor: `next` of the page before. */
  before?: number;
  type?: string;
  limit: number;
};

/** A page of events, newest first; `next` is the cursor of the following page. */
export async function listEvents(
  db: Db,
  query: EventQuery,
): Promise<{ events: AuditEvent[]; next?: number }> {
  const rows = await db
    .select()
    .from(events)
    .where(
      and(
        "userId" in query ? eq(events.userId, query.userId) : eq(events.accountId, query.accountId),
        query.before === undefined ? undefined : lt(events.id, query.before),
        query.type === undefined ? undefined : eq(events.type, query.type),
      ),
    )
    .orderBy(desc(events.id))
    .limit(query.limit + 1);
  const page = rows.slice(0, query.limit);
  return { events: page, next: rows.length > query.limit ? page.at(-1)?.id : undefined };
}
