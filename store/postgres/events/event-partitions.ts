import { and, asc, eq, gt, gte, lt, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { NO_LINK } from "../../events/event-hash.ts";
import type { Db } from "../connect.ts";
import {
  type AuditEvent,
  type EventPartition,
  eventChain,
  eventChainDropped,
  eventPartitions,
  events,
} from "../schema.ts";

/*
 * The runtime's role may not alter the audit tables. Functions of migration 0004, which run as the
 * tables' owner, do what is here, and nothing else.
 */

/** Makes the partitions of the months until `ahead` months from now. */
export async function makeMonths(db: Db, ahead: number): Promise<void> {
  await db.execute(sql`select events_make_months(${ahead}::integer)`);
}

/** The names of the partitions whose time is over, the oldest first. */
export async function duePartitions(db: Db): Promise<string[]> {
  const { rows } = await db.execute<{ name: string }>(sql`select name from events_due()`);
  return rows.map(({ name }) => name);
}

/** Where the partition begins and ends; undefined if it is gone. */
export async function getPartition(db: Db, name: string): Promise<EventPartition | undefined> {
  const [partition] = await db.select().from(eventPartitions).where(eq(eventPartitions.name, name));
  return partition;
}

/** A partition is not dropped, because something is wrong with its events or its turn. */
export class PartitionStays extends Error {}

/** SQLSTATE raise_exception. */
const RAISED = "P0001";

/**
 * Drops a partition and its part of the chains. Throws `PartitionStays` if it is not the oldest
 * whose time is over, if it has another number of events, or if some of them still wait to be passed
 * on or chained.
 */
export async function dropPartition(db: Db, name: string, events: number): Promise<void> {
  try {
    await db.execute(sql`select events_drop(${name}, ${events}::bigint)`);
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as Error & { code?: string };
    throw code === RAISED ? new PartitionStays(message) : error;
  }
}

export const countPartition = (db: Db, partition: EventPartition): Promise<number> =>
  db.$count(events, isOf(partition));

/** An event with its link and the hash of the link before. */
export type LinkedEvent = AuditEvent & {
  chain: { seq: number; previous: string | null; hash: string } | null;
};

const PAGE = 500;

/** The partition's events by ID, page by page. */
export async function* linkedEvents(
  db: Db,
  partition: EventPartition,
): AsyncGenerator<LinkedEvent[]> {
  const earlier = alias(eventChain, "earlier");
  const { accountId, seq } = eventChain;
  for (let after = 0; ; ) {
    const page = await db
      .select({
        event: events,
        seq,
        hash: eventChain.hash,
        earlier: earlier.hash,
        dropped: eventChainDropped.lastHash,
      })
      .from(events)
      .leftJoin(eventChain, and(eq(eventChain.eventId, events.id), eq(eventChain.at, events.at)))
      .leftJoin(earlier, and(eq(earlier.accountId, accountId), eq(earlier.seq, sql`${seq} - 1`)))
      .leftJoin(
        eventChainDropped,
        and(
          eq(eventChainDropped.accountId, accountId),
          eq(eventChainDropped.lastSeq, sql`${seq} - 1`),
        ),
      )
      .where(and(isOf(partition), gt(events.id, after)))
      .orderBy(asc(events.id))
      .limit(PAGE);
    yield page.map(({ event, seq, hash, earlier, dropped }) => {
      const previous = seq === 1 ? NO_LINK : (earlier ?? dropped);
      return { ...event, chain: seq === null || hash === null ? null : { seq, previous, hash } };
    });
    if (page.length < PAGE) return;
    after = page.at(-1)?.event.id ?? after;
  }
}

const isOf = ({ fromAt, toAt }: EventPartition) =>
  and(fromAt ? gte(events.at, fromAt) : undefined, lt(events.at, toAt));
