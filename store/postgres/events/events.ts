import {
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  inArray,
  lt,
  lte,
  type SQL,
  type SQLWrapper,
  sql,
} from "drizzle-orm";
import type { EventType } from "../../events/event-types.ts";
import type { Db } from "../connect.ts";
import { type AuditEvent, eventKeys, events } from "../schema.ts";
import { actorsOf, isOfSupport } from "./actors.ts";

/**
 * `key` names the fact (for example `<workflow id>/verified`), so that a retry records nothing new.
 */
export type NewEvent = Omit<typeof events.$inferInsert, "id" | "type"> & { type: EventType };
export type NewUserEvent = NewEvent & { userId: string };

/** The columns of an event, in the order in which `factOf` and `rowOf` fill them. */
const COLUMNS = sql.raw(
  "id, key, at, account_id, user_id, actor_id, type, ip, user_agent, workflow_id, detail",
);

type Value<Name extends keyof NewEvent> = NewEvent[Name] | SQLWrapper;
/** An event, or the placeholders of one. */
type EventValues = { [Name in keyof Required<NewEvent>]: Value<Name> };

/** Claims the event's key: one row, or none if the key was claimed before. */
const factOf = ({ key, at }: Pick<EventValues, "key" | "at">) => sql`
  insert into ${eventKeys} (key, event_id, at)
  values (${key}, nextval('events_id_seq'), ${sql.param(at, events.at)}::timestamptz)
  on conflict (key) do nothing
  returning event_id, key, at`;

/** Inserts the event for the claimed key in `fact`. */
const rowOf = (values: EventValues) => sql`
  insert into ${events} (${COLUMNS})
  select event_id, key, at, ${values.accountId}, ${values.userId}, ${values.actorId},
    ${values.type}, ${values.ip}, ${values.userAgent}, ${values.workflowId},
    ${sql.param(values.detail, events.detail)}::jsonb
  from fact
  returning id`;

/** Appends to the audit trail; answers whether the event was new. One statement. */
export async function recordEvent(db: Db, event: NewEvent): Promise<boolean> {
  const values = withDefaults(event);
  const { rows } = await db.execute(sql`with fact as (${factOf(values)}) ${rowOf(values)}`);
  return rows.length > 0;
}

/** `recordEvent` as the first part of a statement that is prepared once. */
export function recordingEvent(db: Db) {
  const { placeholder } = sql;
  const values: EventValues = {
    key: placeholder("key"),
    at: placeholder("at"),
    accountId: placeholder("accountId"),
    userId: placeholder("userId"),
    actorId: placeholder("actorId"),
    type: placeholder("type"),
    ip: placeholder("ip"),
    userAgent: placeholder("userAgent"),
    workflowId: placeholder("workflowId"),
    detail: placeholder("detail"),
  };
  return [
    db.$with("fact", {}).as(factOf(values)),
    db.$with("recorded", {}).as(rowOf(values)),
  ] as const;
}

/** The event with every column. */
export function withDefaults(event: NewEvent) {
  const { userId = null, actorId = null, ip = null, userAgent = null } = event;
  const { workflowId = null, detail = {} } = event;
  return { ...event, userId, actorId, ip, userAgent, workflowId, detail };
}

/**
 * Appends one event for each row of `facts`, a query for key, at, account_id, user_id, type,
 * workflow_id and detail. Rows whose key was used before add nothing.
 */
export async function recordEvents(db: Db, facts: SQL): Promise<void> {
  await db.execute(sql`
    with facts as (${facts}), fact as (
      insert into ${eventKeys} (key, event_id, at)
      select key, nextval('events_id_seq'), at from facts
      on conflict (key) do nothing
      returning event_id, key
    )
    insert into ${events} (id, key, at, account_id, user_id, type, workflow_id, detail)
    select event_id, key, at, account_id, user_id, type, workflow_id, detail
    from facts join fact using (key)
  `);
}

/**
 * The event with this key, if it was recorded. A key is forgotten some weeks after its event
 * (`limits.events.keysMs`), long after the last repeat of what it names.
 */
export async function findEvent(db: Db, key: string): Promise<AuditEvent | undefined> {
  const [found] = await db
    .select({ event: events })
    .from(eventKeys)
    .innerJoin(events, and(eq(events.id, eventKeys.eventId), eq(events.at, eventKeys.at)))
    .where(eq(eventKeys.key, key));
  return found?.event;
}

/** Forgets the keys of events before this time. */
export async function forgetKeys(db: Db, before: Date): Promise<void> {
  await db.delete(eventKeys).where(lt(eventKeys.at, before));
}

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
