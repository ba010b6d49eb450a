import { and, asc, desc, eq, gt, gte, inArray, lt, lte } from "drizzle-orm";
import type { EventType } from "../../events/event-types.ts";
import type { Db } from "../connect.ts";
import { type AuditEvent, events } from "../schema.ts";
import { actorsOf, isOfSupport } from "./actors.ts";

/** The event of this number, with everything that is stored of it. */
export async function getEvent(db: Db, eventId: number): Promise<AuditEvent | undefined> {
  const [event] = await db.select().from(events).where(eq(events.id, eventId));
  return event;
}

/** An event in the form that a reader gets. */
export type ShownEvent = Omit<AuditEvent, "key" | "at"> & { at: string };

/** Who reads: the user whom the events are about, somebody who manages users, or an operator. */
export type Reader = "user" | "account" | "operator";

/** Done with the user's own password. The address tells the user whether they did it themselves. */
export const BY_PASSWORD: ReadonlySet<string> = new Set<EventType>([
  "linked_by_account",
  "account_link_refused",
]);

/**
 * The events as this reader may see them. An event's address and browser are the actor's. Users see
 * their own, and those of anyone who entered their password. Readers who manage users see
 * everybody's except those of Support and the command line. Operators see all. Actors who were
 * Support operators at the time stay hidden.
 */
export async function showEvents(
  db: Db,
  shown: readonly AuditEvent[],
  reader: Reader,
): Promise<ShownEvent[]> {
  const asked = shown.filter(({ type }) => reader === "account" || BY_PASSWORD.has(type));
  const actorOf = await actorsOf(db, reader === "operator" ? [] : asked);
  const showsPlace = (event: AuditEvent) => {
    const { type, userId, actorId, accountId } = event;
    if (reader === "operator" || actorId === null) return true;
    if (reader === "user" && actorId === userId) return true;
    const actor = actorOf(event);
    if (!actor?.roleThen || isOfSupport(actor)) return false;
    return BY_PASSWORD.has(type) || (reader === "account" && actor.accountId === accountId);
  };
  return shown.map((event) => {
    const { key: _key, at, ...known } = event;
    const place = showsPlace(event) ? {} : { ip: null, userAgent: null };
    return { ...known, at: at.toISOString(), ...place };
  });
}

/**
 * Selects events of an account, about a user, or (for operators) all. All given conditions must
 * hold.
 */
export type EventFilter = ({ accountId: string } | { userId: string } | { everywhere: true }) & {
  accountId?: string;
  /** The user they are about. */
  userId?: string;
  /** The user who did it. */
  actorId?: string;
  types?: readonly string[];
  from?: Date;
  /** The end, not included. */
  to?: Date;
  /** The newest event's ID. */
  upTo?: number;
};

export type EventQuery = EventFilter & {
  /** Cursor: `next` of the previous page. */
  before?: number;
  limit: number;
};

/** A page of events, newest first; `next` is the cursor of the following page. */
export async function listEvents(
  db: Db,
  query: EventQuery,
): Promise<{ events: AuditEvent[]; next?: number }> {
  const { before, limit } = query;
  const rows = await db
    .select()
    .from(events)
    .where(and(fits(query), before === undefined ? undefined : lt(events.id, before)))
    .orderBy(desc(events.id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  return { events: page, next: rows.length > limit ? page.at(-1)?.id : undefined };
}

const EXPORT_PAGE = 500;

/**
 * All matching events, oldest first, page by page, so that memory use does not grow with their
 * number.
 */
export async function* exportEvents(db: Db, filter: EventFilter): AsyncGenerator<AuditEvent[]> {
  let after = 0;
  for (;;) {
    const page = await db
      .select()
      .from(events)
      .where(and(fits(filter), gt(events.id, after)))
      .orderBy(asc(events.id))
      .limit(EXPORT_PAGE);
    if (page.length > 0) yield page;
    if (page.length < EXPORT_PAGE) return;
    after = page.at(-1)?.id ?? after;
  }
}

/** The ID of the account's newest event; 0 if it has none. */
export async function newestEvent(db: Db, accountId: string): Promise<number> {
  const [newest] = await db
    .select({ id: events.id })
    .from(events)
    .where(eq(events.accountId, accountId))
    .orderBy(desc(events.id))
    .limit(1);
  return newest?.id ?? 0;
}

function fits({ accountId, userId, actorId, types, from, to, upTo }: EventFilter) {
  return and(
    upTo === undefined ? undefined : lte(events.id, upTo),
    accountId === undefined ? undefined : eq(events.accountId, accountId),
    userId === undefined ? undefined : eq(events.userId, userId),
    actorId === undefined ? undefined : eq(events.actorId, actorId),
    types === undefined ? undefined : inArray(events.type, [...types]),
    from && gte(events.at, from),
    to && lt(events.at, to),
  );
}
