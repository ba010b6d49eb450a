import { and, eq, lt, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { EventType } from "../../events/event-types.ts";
import type { Db } from "../connect.ts";
import { type AuditEvent, eventKeys, events } from "../schema.ts";

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

/**
 * The time of an event: at most a day after PostgreSQL's own. An event of a process whose clock is
 * years ahead would make one partition of all these years, which stays until they are over.
 */
const timeOf = (at: SQLWrapper) => sql`least(${at}, now() + interval '1 day')`;

/** Claims the event's key: one row, or none if the key was claimed before. */
const factOf = ({ key, at }: Pick<EventValues, "key" | "at">) => sql`
  insert into ${eventKeys} (key, event_id, at)
  values (${key}, nextval('events_id_seq'), ${timeOf(sql`${sql.param(at, events.at)}::timestamptz`)})
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
      select key, nextval('events_id_seq'), ${timeOf(sql`at`)} from facts
      on conflict (key) do nothing
      returning event_id, key, at
    )
    insert into ${events} (id, key, at, account_id, user_id, type, workflow_id, detail)
    select event_id, key, fact.at, account_id, user_id, type, workflow_id, detail
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
