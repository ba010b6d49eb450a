import { describe, expect, test } from "vitest";
import type { Db } from "../../../../store/postgres/connect.ts";
import {
  claimQueuedEvents,
  forgetQueuedEvents,
  releaseQueuedEvents,
} from "../../../../store/postgres/events/event-queue.ts";
import { findEvent, recordEvent } from "../../../../store/postgres/events/events.ts";
import { eventQueue } from "../../../../store/postgres/schema.ts";
import { HOUR_MS } from "../../../../units.ts";
import { burst, database, eventOf, KINDS, newUser } from "../database.ts";

describe.each(KINDS)("the queue of events on %s", (kind) => {
  const pools = database(kind);

  /** Takes a batch from the queue and removes it. Returns the ids. */
  const take = async (db: Db, limit = 3) => {
    const taken = await claimQueuedEvents(db, { limit, claimMs: HOUR_MS });
    if (taken.length > 0) await forgetQueuedEvents(db, taken);
    return taken.map(({ id }) => id);
  };

  test("each event is taken once, oldest first, also by many at once", async () => {
    const user = await newUser(pools.db);
    const ids: number[] = [];
    for (let n = 0; n < 20; n++) {
      const event = eventOf(user);
      await recordEvent(pools.db, event);
      ids.push((await findEvent(pools.db, event.key))?.id ?? 0);
    }
    expect(await take(pools.db)).toEqual(ids.slice(0, 3));
    const taken = (await burst(pools, 12, take)).flat();
    for (let more = await take(pools.db); more.length > 0; more = await take(pools.db))
      taken.push(...more);
    expect(taken.sort((a, b) => a - b)).toEqual(ids.slice(3));
  });

  test("events that are released, or whose claim ran out, are there again", async () => {
    const event = eventOf(await newUser(pools.db));
    await recordEvent(pools.db, event);
    const { db } = pools;
    const claim = (claimMs: number) => claimQueuedEvents(db, { limit: 10, claimMs });
    const claimed = await claim(HOUR_MS);
    const id = (await findEvent(db, event.key))?.id;
    expect(claimed.map((each) => each.id)).toEqual([id]);
    expect(await claim(HOUR_MS)).toEqual([]);
    await releaseQueuedEvents(db, claimed);
    expect(await claim(0)).toHaveLength(1);
    // That claim lasted no time, as if the claimant had died.
    expect(await take(db, 10)).toEqual([id]);
    expect(await db.$count(eventQueue)).toBe(0);
  });
});

// Only on a server: PGlite has one session.
describe("two sessions", () => {
  const pools = database("postgres");

  test("what one claims while it waits for Temporal, another neither waits for nor gets", async () => {
    const user = await newUser(pools.db);
    for (let n = 0; n < 4; n++) await recordEvent(pools.db, eventOf(user));
    await pools.db.transaction(async (tx) => {
      const held = await claimQueuedEvents(tx, { limit: 3, claimMs: HOUR_MS });
      const others = await claimQueuedEvents(pools.other, { limit: 10, claimMs: HOUR_MS });
      expect([held.length, others.length]).toEqual([3, 1]);
      expect(held.map(({ id }) => id)).not.toContain(others[0]?.id);
    });
  });
});
