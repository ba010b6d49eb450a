import { describe, expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { findEvent, recordEvent } from "../../../../store/postgres/events/events.ts";
import { listEvents } from "../../../../store/postgres/events/read-events.ts";
import { otherType } from "../../../support/event-types.ts";
import { AT, burst, database, KINDS } from "../database.ts";

describe.each(KINDS)("events on %s", (kind) => {
  const pools = database(kind);

  test.each(["update events set type = 'nothing'", "delete from events", "truncate events"])(
    "cannot be changed afterwards: %s",
    async (statement) => {
      const event = { key: newId(), at: AT, accountId: newId(), type: otherType("happened") };
      await recordEvent(pools.db, event);
      await expect(pools.db.execute(statement)).rejects.toMatchObject({
        cause: { message: "events are append-only" },
      });
      expect(await findEvent(pools.db, event.key)).toMatchObject(event);
    },
  );

  test("are recorded once, even if told many times at once", async () => {
    const event = { key: newId(), at: AT, accountId: newId(), type: otherType("happened") };
    const recorded = await burst(pools, 20, (db) => recordEvent(db, event));
    expect(recorded.filter(Boolean)).toHaveLength(1);
    const { events } = await listEvents(pools.db, { accountId: event.accountId, limit: 10 });
    expect(events).toHaveLength(1);
  });

  test("come page by page, newest first, of one user or account", async () => {
    const accountId = newId();
    const userId = newId();
    const detail = { device: "Phone", number: 1 };
    for (let index = 0; index < 7; index++) {
      const type = otherType(index % 2 ? "odd" : "even");
      const about = index < 5 ? { userId } : {};
      await recordEvent(pools.db, { key: newId(), at: AT, accountId, type, detail, ...about });
      await recordEvent(pools.db, { key: newId(), at: AT, accountId: newId(), type });
    }
    const seen: number[] = [];
    let before: number | undefined;
    do {
      const page = await listEvents(pools.db, { accountId, before, limit: 3 });
      seen.push(...page.events.map(({ id }) => id));
      before = page.next;
    } while (before);
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    const ofUser = await listEvents(pools.db, { userId, types: ["odd"], limit: 10 });
    expect(ofUser.events).toHaveLength(2);
    expect(ofUser.next).toBeUndefined();
    expect(ofUser.events[0]).toMatchObject({ at: AT, accountId, userId, type: "odd", detail });
  });
});
