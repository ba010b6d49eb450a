import { describe, expect, test } from "vitest";
import type { Db } from "../../../store/postgres/connect.ts";
import { forgetQueuedEvents, takeQueuedEvents } from "../../../store/postgres/event-queue.ts";
import { findEvent, recordEvent } from "../../../store/postgres/events.ts";
import { eventQueue } from "../../../store/postgres/schema.ts";
import { burst, database, eventOf, KINDS, newUser } from "./database.ts";

describe.each(KINDS)("the queue of events on %s", (kind) => {
  const pools = database(kind);

  /** Takes a batch from the queue and removes it. Returns the ids. */
  const take = (db: Db, limit = 3) =>
    db.transaction(async (tx) => {
      const taken = await takeQueuedEvents(tx, limit);
      if (taken.length > 0) await forgetQueuedEvents(tx, taken);
      return taken.map(({ id }) => id);
    });

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

  test("events that a failed transaction took are there again", async () => {
    const event = eventOf(await newUser(pools.db));
    await recordEvent(pools.db, event);
    const died = pools.db.transaction(async (tx) => {
      const taken = await takeQueuedEvents(tx, 10);
      await forgetQueuedEvents(tx, taken);
      throw new Error("killed");
    });
    await expect(died).rejects.toThrow("killed");
    const id = (await findEvent(pools.db, event.key))?.id;
    expect(await take(pools.db, 10)).toEqual([id]);
    expect(await pools.db.$count(eventQueue)).toBe(0);
  });
});

// Only on a server: PGlite has one session.
describe("two sessions", () => {
  const pools = database("postgres");

  test("what one transaction holds another neither waits for nor gets", async () => {
    const user = await newUser(pools.db);
    for (let n = 0; n < 4; n++) await recordEvent(pools.db, eventOf(user));
    await pools.db.transaction(async (tx) => {
      const held = await takeQueuedEvents(tx, 3);
      const others = await pools.other.transaction((other) => takeQueuedEvents(other, 10));
      expect([held.length, others.length]).toEqual([3, 1]);
      expect(held.map(({ id }) => id)).not.toContain(others[0]?.id);
    });
  });
});
