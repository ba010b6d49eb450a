import { Client, Connection } from "@temporalio/client";
import { sql } from "drizzle-orm";
import { afterEach, expect, test } from "vitest";
import { eventRef } from "../../store/events/event-refs.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { findEvent, recordEvent } from "../../store/postgres/events/events.ts";
import { eventQueue, type User } from "../../store/postgres/schema.ts";
import { getDelivery } from "../../store/postgres/webhooks/webhook-deliveries.ts";
import { createCalls } from "../../temporal/calls.ts";
import { type RelayDeps, startRelay } from "../../temporal/relay.ts";
import { starting } from "../../temporal/start.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { VIEW } from "../../workflows/messages.ts";
import { eventOf } from "../store/postgres/database.ts";
import { wireTo } from "../store/wire.ts";
import { limit } from "../support/limits.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { newWebhook } from "../support/webhooks.ts";
import { eventually } from "../workflows/flows.ts";
import { useWorld } from "../workflows/world.ts";

const world = useWorld("real");

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** A webhook for events of the type `happened`, and its receiver. */
async function hooked() {
  const receiver = await startReceiver();
  ending.push(receiver.stop);
  const webhook = await newWebhook(world, receiver, ["happened"]);
  return { ...webhook, receiver, ids: () => idsOf(receiver) };
}

/** The ids of received events, repeated if an event came twice. */
const idsOf = ({ received }: Receiver) => received.map(({ headers }) => headers["webhook-id"]);

async function happen(user: User) {
  const event = eventOf(user);
  await recordEvent(world.db, event);
  return event.key;
}

/** A relay that looks for events ten times as often as usual. Returns what it logs. */
function relay(others: Partial<RelayDeps> = {}) {
  const logged: { level: string; words: string }[] = [];
  const { config, db, temporal } = world;
  const relay = { ...config.limits.relay, pollMs: 100, longestWaitMs: 400 };
  const stop = startRelay({
    db,
    config: { ...config, limits: { ...config.limits, relay: relay as never } },
    start: starting(createCalls(temporal.client)),
    log: {
      info: (_fields, words) => void logged.push({ level: "info", words }),
      warn: (_fields, words) => void logged.push({ level: "warn", words }),
    },
    ...others,
  });
  ending.push(stop);
  return { logged, stop };
}

const queued = () => world.db.$count(eventQueue);

test("two relays pass on each of 500 events once", { timeout: limit(120_000) }, async () => {
  const { user, ids } = await hooked();
  relay();
  relay();
  for (let n = 0; n < 50; n++) await Promise.all(Array.from({ length: 10 }, () => happen(user)));
  await expect.poll(() => new Set(ids()).size, { timeout: limit(100_000) }).toBe(500);
  await eventually(queued).toBe(0);
  expect(ids()).toHaveLength(500);
});

test("events wait while Temporal is away; that is logged once, and nothing is lost", async () => {
  const { user, ids } = await hooked();
  // Not closed: the client keeps trying, and after a close it would throw outside any test.
  const nowhere = Connection.lazy({ address: "127.0.0.1:1" });
  const real = starting(createCalls(world.temporal.client));
  let start = starting(createCalls(new Client({ connection: nowhere })));
  let tries = 0;
  const { logged } = relay({
    start: (...args) => {
      tries += 1;
      return start(...args);
    },
  });
  await happen(user);
  await expect.poll(() => tries, { timeout: limit(20_000) }).toBeGreaterThan(2);
  expect(ids()).toEqual([]);
  expect(logged).toEqual([{ level: "warn", words: expect.stringContaining("they are retried") }]);
  start = real;
  await eventually(ids).toHaveLength(1);
  expect(logged.at(-1)).toMatchObject({ level: "info" });
  expect(logged).toHaveLength(2);
});

test("a relay goes on once PostgreSQL is back", async () => {
  const { user, ids } = await hooked();
  const wire = await wireTo(world.config.DATABASE_URL);
  ending.push(wire.cut);
  const database = connectDatabase(wire.url);
  ending.push(database.close);
  const { logged } = relay({ db: database.db });
  await happen(user);
  await eventually(ids).toHaveLength(1);
  await wire.cut();
  await happen(user);
  await eventually(() => logged.length).toBe(1);
  expect(ids()).toHaveLength(1);
  await wire.heal();
  await eventually(ids).toHaveLength(2);
});

test("a relay that dies between a start and its commit starts nothing twice", async () => {
  const { user, webhookId, ids } = await hooked();
  const real = starting(createCalls(world.temporal.client));
  let deaths = 0;
  relay({
    start: async (...args) => {
      await real(...args);
      if (deaths++ < 2) throw new Error("killed");
    },
  });
  const key = await happen(user);
  await eventually(queued).toBe(0);
  const workflowId = workflowIds.webhookDelivery(webhookId, eventRef(key));
  await world.temporal.client.workflow.getHandle(workflowId).result();
  expect(deaths).toBeGreaterThan(2);
  expect(ids()).toEqual([`evt_${eventRef(key)}`]);
});

/** As a PostgreSQL that was restored to a point before its newest event: that one's number is free. */
async function rewind() {
  await world.db.transaction(async (tx) => {
    await tx.execute(sql`alter table events disable trigger user`);
    for (const table of ["webhook_deliveries", "event_chain_queue", "event_keys"])
      await tx.execute(
        sql`delete from ${sql.identifier(table)} where event_id = (select max(id) from events)`,
      );
    const newest = sql`delete from events where id = (select max(id) from events) returning id`;
    const [row] = (await tx.execute(newest)).rows;
    await tx.execute(
      sql`select setval(pg_get_serial_sequence('events', 'id'), ${row?.id}::bigint, false)`,
    );
    await tx.execute(sql`alter table events enable trigger user`);
  });
}

test("after a restore a new event with an old number is passed on, under a name of its own", async () => {
  const { user, ids } = await hooked();
  relay();
  const lost = await happen(user);
  await eventually(ids).toHaveLength(1);
  await eventually(queued).toBe(0);
  const number = (await findEvent(world.db, lost))?.id;
  await rewind();
  const key = await happen(user);
  expect((await findEvent(world.db, key))?.id).toBe(number);
  await eventually(ids).toEqual([`evt_${eventRef(lost)}`, `evt_${eventRef(key)}`]);
});

test("a delivery whose event was lost sends nothing about the event that has its number", async () => {
  const { user, ids, receiver, webhookId } = await hooked();
  receiver.answers(500);
  const { stop } = relay();
  const lost = await happen(user);
  const number = (await findEvent(world.db, lost))?.id ?? 0;
  const noted = () => getDelivery(world.db, { webhookId, eventId: number });
  // What the first attempt leaves is written before the event is lost.
  await eventually(async () => (await noted())?.delivery.state).toBe("waiting");
  await eventually(queued).toBe(0);
  await stop();
  await rewind();
  const key = await happen(user);
  expect((await findEvent(world.db, key))?.id).toBe(number);
  receiver.answers(204);
  const flow = world.temporal.client.workflow.getHandle(
    workflowIds.webhookDelivery(webhookId, eventRef(lost)),
  );
  await eventually(async () => (await flow.query<{ state: string }>(VIEW)).state).toBe("waiting");
  await flow.executeUpdate("resend", { args: [{}] });
  expect(await flow.result()).toMatchObject({ state: "canceled" });
  expect(ids()).toEqual([`evt_${eventRef(lost)}`]);
  expect(await noted()).toBeUndefined();
});

test("an event of a rolled-back transaction is passed on to nobody", async () => {
  const { user, ids } = await hooked();
  relay();
  const rolledBack = world.db.transaction(async (tx) => {
    await recordEvent(tx, eventOf(user));
    throw new Error("no");
  });
  await expect(rolledBack).rejects.toThrow("no");
  await happen(user);
  await eventually(ids).toHaveLength(1);
  await eventually(queued).toBe(0);
  expect(ids()).toHaveLength(1);
});

test("a stopped relay passes nothing on", async () => {
  const { user, ids } = await hooked();
  await relay().stop();
  await happen(user);
  expect(await queued()).toBeGreaterThan(0);
  expect(ids()).toEqual([]);
  relay();
  await eventually(ids).toHaveLength(1);
});

test("a delivery continues where a worker left it", async () => {
  const { user, ids } = await hooked();
  relay();
  await world.withoutWorker(async () => {
    await happen(user);
    await eventually(queued).toBe(0);
    expect(ids()).toEqual([]);
  });
  await eventually(ids).toHaveLength(1);
});
