import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { linkHash, NO_LINK } from "../../events/event-hash.ts";
import type { Db } from "../connect.ts";
import { eventChain, eventChainDropped, eventChainQueue, events } from "../schema.ts";
import { headsOf, type Link } from "./event-chain.ts";

const PAGE = 1_000;

/**
 * What is wrong with the trail. `changed`: the event is not the one that was chained. `missing`: a
 * chained event, or a link, is gone. `inserted`: the event was never on its way into the chain.
 * `cut`: the chain does not have a link that was noted earlier.
 */
export type Finding = {
  /** Unknown for an event that was removed before it was chained. */
  accountId?: string;
  what: "changed" | "missing" | "inserted" | "cut";
  eventId?: number;
  /** The link; a range of links is one finding, by the first. */
  seq?: number;
};

/** The accounts that have events or links, in the order of their IDs. */
export async function* auditedAccounts(db: Db): AsyncGenerator<string> {
  for (let after = ""; ; ) {
    const { rows } = await db.execute<{ next: string | null }>(sql`
      select least(
        (select min(account_id) from ${events} where account_id > ${after}),
        (select min(account_id) from ${eventChain} where account_id > ${after}),
        (select min(account_id) from ${eventChainDropped} where account_id > ${after})) as next`);
    const next = rows[0]?.next;
    if (typeof next !== "string") return;
    yield next;
    after = next;
  }
}

/**
 * Compares an account's events with its chain, and answers how many events it has. `found` gets
 * each finding, `read` the number of events of each page. Safe while events are added, chained and
 * dropped.
 */
export async function verifyAccount(
  db: Db,
  accountId: string,
  { found, read }: { found(finding: Finding): void; read(events: number): void },
): Promise<number> {
  const head = (await headsOf(db, [accountId])).get(accountId)?.seq ?? 0;
  const dropped = await droppedRanges(db, accountId);
  const before = new Map(dropped.map(({ lastSeq, lastHash }) => [lastSeq, lastHash]));
  let count = 0;
  let linked = 0;
  for (let after = 0; ; ) {
    const page = await pageOf(db, accountId, after);
    for (const { event, link, previous, queued } of page) {
      if (!link) {
        if (queued === null) found({ accountId, what: "inserted", eventId: event.id });
        continue;
      }
      if (link.accountId === accountId && link.seq <= head) linked += 1;
      const from = link.seq === 1 ? NO_LINK : (previous ?? before.get(link.seq - 1));
      // Without the link before, that one is reported below.
      if (from !== undefined && linkHash(from, event) !== link.hash)
        found({ accountId, what: "changed", eventId: event.id, seq: link.seq });
    }
    count += page.length;
    read(page.length);
    if (page.length < PAGE) break;
    after = page.at(-1)?.event.id ?? after;
  }
  const gone = dropped.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0);
  if (linked !== head - gone) for (const finding of await missingOf(db, accountId)) found(finding);
  return count;
}

/** Queued events that no longer exist: they were removed before they were chained. */
export async function lostEvents(db: Db): Promise<number[]> {
  const rows = await db
    .select({ id: eventChainQueue.eventId })
    .from(eventChainQueue)
    .leftJoin(
      events,
      and(eq(events.id, eventChainQueue.eventId), eq(events.at, eventChainQueue.at)),
    )
    .where(isNull(events.id))
    .orderBy(asc(eventChainQueue.eventId));
  return rows.map(({ id }) => id);
}

/** Whether the chain still has this link, or has dropped it when its time was over. */
export async function hasLink(db: Db, { accountId, seq, hash }: Link): Promise<boolean> {
  const [link] = await db
    .select({ hash: eventChain.hash })
    .from(eventChain)
    .where(and(eq(eventChain.accountId, accountId), eq(eventChain.seq, seq)));
  if (link) return link.hash === hash;
  const range = (await droppedRanges(db, accountId)).find(
    ({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq,
  );
  return range !== undefined && (range.lastSeq !== seq || range.lastHash === hash);
}

/** A page of events by ID, each with its link, the hash of the link before, and its queued row. */
function pageOf(db: Db, accountId: string, after: number) {
  const page = db
    .select()
    .from(events)
    .where(and(eq(events.accountId, accountId), gt(events.id, after)))
    .orderBy(asc(events.id))
    .limit(PAGE)
    .as("page");
  const earlier = alias(eventChain, "earlier");
  const { id, key, at, type, userId, actorId, ip, userAgent, workflowId, detail } = page;
  const who = { accountId: page.accountId, userId, actorId, ip, userAgent };
  return db
    .select({
      event: { id, key, at, type, workflowId, detail, ...who },
      link: eventChain,
      previous: earlier.hash,
      queued: eventChainQueue.eventId,
    })
    .from(page)
    .leftJoin(eventChain, and(eq(eventChain.eventId, id), eq(eventChain.at, at)))
    .leftJoin(
      earlier,
      and(eq(earlier.accountId, eventChain.accountId), eq(earlier.seq, sql`${eventChain.seq} - 1`)),
    )
    .leftJoin(eventChainQueue, and(eq(eventChainQueue.eventId, id), eq(eventChainQueue.at, at)))
    .orderBy(asc(id));
}

const droppedRanges = (db: Db, accountId: string) =>
  db
    .select()
    .from(eventChainDropped)
    .where(eq(eventChainDropped.accountId, accountId))
    .orderBy(asc(eventChainDropped.firstSeq));

/** The links without an event, and the gaps between links that no dropped range explains. */
async function missingOf(db: Db, accountId: string): Promise<Finding[]> {
  const lost = await db
    .select({ seq: eventChain.seq, eventId: eventChain.eventId })
    .from(eventChain)
    .leftJoin(
      events,
      and(
        eq(events.id, eventChain.eventId),
        eq(events.at, eventChain.at),
        eq(events.accountId, eventChain.accountId),
      ),
    )
    .where(and(eq(eventChain.accountId, accountId), isNull(events.id)))
    .orderBy(asc(eventChain.seq));
  const { rows } = await db.execute<{ first: string }>(sql`
    select before + 1 as first from (
      select first_seq, lag(last_seq, 1, 0::bigint) over (order by last_seq) as before from (
        select seq as first_seq, seq as last_seq from ${eventChain}
          where account_id = ${accountId}
        union all
        select first_seq, last_seq from ${eventChainDropped} where account_id = ${accountId}
      ) as links
    ) as pairs
    where first_seq > before + 1
    order by before`);
  const gaps = rows.map(({ first }) => ({ seq: Number(first) }));
  return [...lost, ...gaps].map((missing) => ({ accountId, what: "missing" as const, ...missing }));
}
