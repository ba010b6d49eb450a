import { and, asc, desc, eq, gt, inArray, lt, notInArray, sql } from "drizzle-orm";
import type { Db } from "../connect.ts";
import { type AuditEvent, events, type WebhookDelivery, webhookDeliveries } from "../schema.ts";

type Key = { webhookId: string; eventId: number };

/** The state of a delivery after a number of attempts, including one under way. */
export type DeliveryNote = Key & {
  state: string;
  attempts: number;
  outcome?: string;
  at: Date;
};

/**
 * Stores the state of a delivery. A late write changes nothing: a state with more attempts is
 * newer, and with equal attempts, one with a known outcome is newer. Nothing is stored for a
 * removed webhook.
 */
export async function noteDelivery(
  db: Db,
  { webhookId, eventId, state, attempts, outcome, at }: DeliveryNote,
): Promise<void> {
  const when = at.toISOString();
  const attempted = outcome === undefined ? null : when;
  await db.execute(sql`
    insert into ${webhookDeliveries} as d
      (webhook_id, event_id, state, attempts, last_outcome, last_attempt_at, created_at)
    select w.id, ${eventId}::bigint, ${state}, ${attempts}::int, ${outcome ?? null},
      ${attempted}::timestamptz, ${when}::timestamptz
    from webhooks w where w.id = ${webhookId} for key share
    on conflict (webhook_id, event_id) do update set
      state = excluded.state,
      attempts = excluded.attempts,
      last_outcome = coalesce(excluded.last_outcome, d.last_outcome),
      last_attempt_at = coalesce(excluded.last_attempt_at, d.last_attempt_at)
    where d.attempts < excluded.attempts
      or (d.attempts = excluded.attempts and excluded.state <> 'attempting')
  `);
}

/**
 * How many of a webhook's oldest deliveries each attempt examines: far more than an attempt adds,
 * so their number stays bounded.
 */
const OLDEST = 100;

/**
 * Deletes those of a webhook's oldest deliveries that began before `before` and have ended. Called
 * with each attempt, it bounds their number.
 */
export async function forgetDeliveries(
  db: Db,
  { webhookId, before }: { webhookId: string; before: Date },
): Promise<void> {
  const oldest = db
    .select({ eventId: webhookDeliveries.eventId })
    .from(webhookDeliveries)
    .where(eq(webhookDeliveries.webhookId, webhookId))
    .orderBy(asc(webhookDeliveries.eventId))
    .limit(OLDEST)
    .for("update", { skipLocked: true });
  await db
    .delete(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhookId),
        inArray(webhookDeliveries.eventId, oldest),
        lt(webhookDeliveries.createdAt, before),
        notInArray(webhookDeliveries.state, ["attempting", "waiting"]),
      ),
    );
}

/** A delivery with its event. */
export type EventDelivery = { delivery: WebhookDelivery; event: AuditEvent };

/**
 * A page of a webhook's deliveries, the newest event first; `next` is the cursor of the next page.
 */
export async function listDeliveries(
  db: Db,
  { webhookId, before, limit }: { webhookId: string; before?: number; limit: number },
): Promise<{ deliveries: EventDelivery[]; next?: number }> {
  const rows = await db
    .select({ delivery: webhookDeliveries, event: events })
    .from(webhookDeliveries)
    .innerJoin(events, eq(events.id, webhookDeliveries.eventId))
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhookId),
        before === undefined ? undefined : lt(webhookDeliveries.eventId, before),
      ),
    )
    .orderBy(desc(webhookDeliveries.eventId))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  return { deliveries: page, next: rows.length > limit ? page.at(-1)?.event.id : undefined };
}

/** One delivery with its event. */
export async function getDelivery(
  db: Db,
  { webhookId, eventId }: Key,
): Promise<EventDelivery | undefined> {
  const [found] = await db
    .select({ delivery: webhookDeliveries, event: events })
    .from(webhookDeliveries)
    .innerJoin(events, eq(events.id, webhookDeliveries.eventId))
    .where(isDelivery(webhookId, eventId));
  return found;
}

/** Whether any delivery to the webhook has succeeded since this delivery began. */
export async function tookAnythingSince(db: Db, { webhookId, eventId }: Key): Promise<boolean> {
  const began = db
    .select({ at: webhookDeliveries.createdAt })
    .from(webhookDeliveries)
    .where(isDelivery(webhookId, eventId));
  const [taken] = await db
    .select({ eventId: webhookDeliveries.eventId })
    .from(webhookDeliveries)
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhookId),
        eq(webhookDeliveries.state, "delivered"),
        gt(webhookDeliveries.lastAttemptAt, sql`(${began})`),
      ),
    )
    .limit(1);
  return taken !== undefined;
}

const isDelivery = (webhookId: string, eventId: number) =>
  and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.eventId, eventId));
