import { afterEach, expect, test } from "vitest";
import { newWebhookSecret } from "../../providers/webhook/webhook.ts";
import { eventRef } from "../../store/events/event-refs.ts";
import { newId } from "../../store/ids.ts";
import { findEvent, recordEvent } from "../../store/postgres/events/events.ts";
import { listEvents, showEvents } from "../../store/postgres/events/read-events.ts";
import { getDelivery, noteDelivery } from "../../store/postgres/webhooks/webhook-deliveries.ts";
import { getWebhook, removeWebhook } from "../../store/postgres/webhooks/webhooks.ts";
import { HOUR_MS, MINUTE_MS } from "../../units.ts";
import { eventOf } from "../store/postgres/database.ts";
import { type Receiver, startReceiver, verified } from "../support/receiver.ts";
import { newWebhook } from "../support/webhooks.ts";
import { eventually } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

/** A webhook of a new account, with a new receiver. */
async function hooked() {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const { user, accountId, webhookId, secret } = await newWebhook(world, receiver);
  const happen = async () => {
    const event = { ...eventOf(user), detail: { deviceId: newId() } };
    await recordEvent(world.db, event);
    const recorded = await findEvent(world.db, event.key);
    if (!recorded) throw new Error("The event was not recorded");
    return recorded;
  };
  return {
    user,
    receiver,
    secret,
    webhookId,
    happen,
    deliver: async (attemptsBefore = 0) => {
      const event = await happen();
      const delivery = { accountId, webhookId, eventId: event.id };
      const flow = await world.webhookDelivery({ ...delivery, userId: user.id, attemptsBefore });
      return {
        ...flow,
        event,
        row: async () => (await getDelivery(world.db, delivery))?.delivery,
      };
    },
    webhook: () => getWebhook(world.db, accountId, webhookId),
    events: async () =>
      (await listEvents(world.db, { accountId, types: ["webhook_disabled"], limit: 9 })).events,
  };
}

test("an event arrives in the form that other places show, signed as Standard Webhooks says", async () => {
  const { receiver, secret, deliver } = await hooked();
  const { event, handle, row } = await deliver();
  expect(await handle.result()).toMatchObject({ state: "delivered", attempts: 1, outcome: "204" });
  const [message] = receiver.received;
  if (!message) throw new Error("Nothing came");
  const now = world.clock.now();
  expect(verified(message, secret, now)).toEqual({
    type: "happened",
    timestamp: event.at.toISOString(),
    data: (await showEvents(world.db, [event], "account"))[0],
  });
  expect(message.headers).toMatchObject({
    "webhook-id": `evt_${eventRef(event.key)}`,
    "content-type": "application/json",
  });
  expect(() => verified(message, newWebhookSecret(), now)).toThrow("No matching signature");
  expect(() => verified({ ...message, body: `${message.body} ` }, secret, now)).toThrow();
  expect(() => verified(message, secret, now + 6 * MINUTE_MS)).toThrow("too old");
  expect(await row()).toMatchObject({ state: "delivered", attempts: 1, lastOutcome: "204" });
});

test("an attempt deletes its webhook's deliveries of more than 90 days ago", async () => {
  const { webhookId, happen, deliver } = await hooked();
  const sent = async (daysAgo: number) => {
    const delivery = { webhookId, eventId: (await happen()).id };
    const at = new Date(world.clock.now() - daysAgo * 24 * HOUR_MS);
    await noteDelivery(world.db, { ...delivery, state: "delivered", attempts: 1, at });
    return async () => (await getDelivery(world.db, delivery)) !== undefined;
  };
  const [old, young] = [await sent(91), await sent(89)];
  await (await deliver()).handle.result();
  expect([await old(), await young()]).toEqual([false, true]);
});

test("a receiver that fails is tried again after longer and longer waits, for three days", async () => {
  const { receiver, secret, deliver, webhook, events } = await hooked();
  receiver.answers(500);
  const { reaches, handle, row, view } = await deliver();
  const { retriesMs } = world.config.limits.webhooks;
  for (const [index, wait] of retriesMs.entries()) {
    await reaches("waiting");
    await eventually(row).toMatchObject({ state: "waiting", attempts: index + 1 });
    expect(receiver.received).toHaveLength(index + 1);
    await world.pass(wait - 1000);
    expect(receiver.received).toHaveLength(index + 1);
    await world.pass(1000);
    await eventually(async () => (await view()).attempts).toBe(index + 2);
  }
  expect(await handle.result()).toMatchObject({ state: "failed", attempts: 10, outcome: "500" });
  expect(retriesMs.reduce((all, wait) => all + wait)).toBeGreaterThan(3 * 24 * HOUR_MS);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  const last = receiver.received.at(-1);
  if (!last) throw new Error("Nothing came");
  expect(verified(last, secret, world.clock.now())).toMatchObject({ type: "happened" });
  expect(await row()).toMatchObject({ state: "failed", attempts: 10, lastOutcome: "500" });
  // The receiver accepted nothing else in these three days, so the webhook is disabled.
  expect(await webhook()).toMatchObject({ disabledFor: "failing" });
  expect(await events()).toMatchObject([{ detail: { reason: "failing", outcome: "500" } }]);
});

test("a webhook that accepts other events is not disabled for one that it refuses", async () => {
  const { receiver, deliver, webhook } = await hooked();
  receiver.answers(500);
  const bad = await deliver();
  const { retriesMs } = world.config.limits.webhooks;
  for (const [index, wait] of retriesMs.entries()) {
    await bad.reaches("waiting");
    if (index === 4) {
      receiver.answers(200);
      const good = await deliver();
      // Reads the state instead of waiting for the result: waiting lets the time-skipping server
      // skip the other flow's timer.
      await good.reaches("delivered");
      receiver.answers(500);
    }
    await world.pass(wait);
    await eventually(async () => (await bad.view()).attempts).toBe(index + 2);
  }
  expect(await bad.handle.result()).toMatchObject({ state: "failed" });
  expect(await webhook()).toMatchObject({ disabledFor: null });
});

test("410 Gone disables the webhook at once, and cancels what waits for it", async () => {
  const { receiver, deliver, webhook, events } = await hooked();
  receiver.answers(503);
  const waiting = await deliver();
  await waiting.reaches("waiting");
  receiver.answers(410);
  const gone = await deliver();
  expect(await gone.reaches("failed")).toMatchObject({ attempts: 1 });
  await eventually(webhook).toMatchObject({ disabledFor: "gone" });
  expect(await events()).toMatchObject([
    { userId: null, actorId: null, detail: { reason: "gone" } },
  ]);
  await world.pass(HOUR_MS);
  expect(await waiting.handle.result()).toMatchObject({ state: "canceled" });
  expect(await waiting.row()).toMatchObject({ state: "canceled" });
  expect(receiver.received).toHaveLength(2);
});

test("nothing is sent to a webhook that was removed meanwhile, or to another account's", async () => {
  const { receiver, deliver, user, webhookId } = await hooked();
  receiver.answers(500);
  const flow = await deliver();
  await flow.reaches("waiting");
  const strange = await (await hooked()).happen();
  const stranger = { accountId: user.accountId, webhookId, eventId: strange.id };
  const foreign = await world.webhookDelivery(stranger);
  await foreign.reaches("canceled");
  await removeWebhook(
    world.db,
    { accountId: user.accountId, webhookId },
    eventOf(user, "webhook_removed"),
  );
  await world.pass(HOUR_MS);
  expect(await flow.handle.result()).toMatchObject({ state: "canceled" });
  expect(await flow.row()).toBeUndefined();
  expect(receiver.received).toHaveLength(1);
});

test("a redirect counts as a failure, and is not followed", async () => {
  const { receiver, deliver } = await hooked();
  const elsewhere = await startReceiver();
  receivers.push(elsewhere);
  receiver.answers(302, { location: elsewhere.url });
  const { reaches, view, handle } = await deliver();
  await reaches("waiting");
  expect(await view()).toMatchObject({ outcome: "302" });
  expect(elsewhere.received).toEqual([]);
  await handle.terminate();
});

test("a receiver that is down gets the event when it is back", async () => {
  const { receiver, deliver } = await hooked();
  await receiver.down();
  const { reaches, view, handle } = await deliver();
  await reaches("waiting");
  expect(await view()).toMatchObject({ attempts: 1, outcome: "unreachable" });
  await receiver.up();
  await world.pass(10_000);
  expect(await handle.result()).toMatchObject({ state: "delivered", attempts: 2 });
  expect(receiver.received).toHaveLength(1);
});
