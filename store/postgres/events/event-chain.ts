import { and, asc, eq, sql } from "drizzle-orm";
import { linkHash, NO_LINK } from "../../events/event-hash.ts";
import type { Db } from "../connect.ts";
import {
  type AuditEvent,
  eventChain,
  eventChainDropped,
  eventChainQueue,
  events,
} from "../schema.ts";

const CHAIN_LOCK = 7_236_303;

/** A link of an account's chain. */
export type Link = { accountId: string; seq: number; hash: string };

/**
 * Adds the oldest events that are in no chain yet to their accounts' chains, and answers how many.
 * Only one caller at a time does so; for others there is nothing to do. An event that is committed
 * late is chained late, so no order of commits leaves one out.
 */
export function chainEvents(db: Db, limit: number): Promise<number> {
  return db.transaction(async (tx) => {
    const lock = sql`select pg_try_advisory_xact_lock(${CHAIN_LOCK}) as mine`;
    const { rows } = await tx.execute<{ mine: boolean }>(lock);
    if (!rows[0]?.mine) return 0;
    const waiting = await queuedEvents(tx, limit);
    if (waiting.length === 0) return 0;
    const fresh = waiting.filter(({ seq }) => seq === null).map(({ event }) => event);
    await addLinks(tx, fresh);
    const ids = waiting.map(({ event }) => event.id);
    const times = waiting.map(({ event }) => event.at.toISOString());
    await tx.execute(sql`
      delete from ${eventChainQueue} where (event_id, at) in
        (select * from unnest(${sql.param(ids)}::bigint[], ${sql.param(times)}::timestamptz[]))`);
    return waiting.length;
  });
}

/** How many events are in no chain yet. */
export const countUnchained = (db: Db): Promise<number> => db.$count(eventChainQueue);

/** When the oldest event that is in no chain yet happened; undefined if all are in one. */
export async function oldestUnchained(db: Db): Promise<Date | undefined> {
  const [oldest] = await db
    .select({ at: eventChainQueue.at })
    .from(eventChainQueue)
    .orderBy(asc(eventChainQueue.eventId))
    .limit(1);
  return oldest?.at;
}

/** The newest link of each of these accounts, by account. Accounts without a link are left out. */
export async function headsOf(
  db: Db,
  accountIds: readonly string[],
): Promise<Map<string, Omit<Link, "accountId">>> {
  const { rows } = await db.execute<{ id: string; seq: string; hash: string }>(sql`
    select id, head.seq, head.hash from unnest(${sql.param([...accountIds])}::text[]) as id,
      lateral (
        (select seq, hash from ${eventChain} where account_id = id order by seq desc limit 1)
        union all
        (select last_seq, last_hash from ${eventChainDropped} where account_id = id
          order by last_seq desc limit 1)
        order by seq desc limit 1
      ) as head`);
  return new Map(rows.map(({ id, seq, hash }) => [id, { seq: Number(seq), hash }]));
}

/** Queued events with the link that they have already, if somebody queued them again. */
const queuedEvents = (tx: Db, limit: number) =>
  tx
    .select({ event: events, seq: eventChain.seq })
    .from(eventChainQueue)
    .innerJoin(
      events,
      and(eq(events.id, eventChainQueue.eventId), eq(events.at, eventChainQueue.at)),
    )
    .leftJoin(eventChain, and(eq(eventChain.eventId, events.id), eq(eventChain.at, events.at)))
    .orderBy(asc(eventChainQueue.eventId))
    .limit(limit);

async function addLinks(tx: Db, fresh: readonly AuditEvent[]): Promise<void> {
  const heads = await headsOf(tx, [...new Set(fresh.map(({ accountId }) => accountId))]);
  const links = fresh.map((event) => {
    const { seq, hash } = heads.get(event.accountId) ?? { seq: 0, hash: NO_LINK };
    const head = { seq: seq + 1, hash: linkHash(hash, event) };
    heads.set(event.accountId, head);
    return { event, ...head };
  });
  const column = (of: (link: (typeof links)[number]) => unknown) => sql.param(links.map(of));
  await tx.execute(sql`
    insert into ${eventChain} (account_id, seq, event_id, at, hash)
    select * from unnest(
      ${column(({ event }) => event.accountId)}::text[], ${column(({ seq }) => seq)}::bigint[],
      ${column(({ event }) => event.id)}::bigint[],
      ${column(({ event }) => event.at.toISOString())}::timestamptz[],
      ${column(({ hash }) => hash)}::text[])`);
}
