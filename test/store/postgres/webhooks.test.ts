import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { findEvent, recordEvent } from "../../../store/postgres/events/events.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import type { User } from "../../../store/postgres/schema.ts";
import {
  forgetDeliveries,
  getDelivery,
  listDeliveries,
  noteDelivery,
  tookAnythingSince,
} from "../../../store/postgres/webhooks/webhook-deliveries.ts";
import {
  addWebhook,
  getWebhook,
  listEnabledWebhooks,
  listWebhooks,
  removeWebhook,
  setWebhookDisabled,
} from "../../../store/postgres/webhooks/webhooks.ts";
import { AT, burst, database, eventOf, KINDS, newUser } from "./database.ts";

describe.each(KINDS)("webhooks on %s", (kind) => {
  const pools = database(kind);

  const webhookOf = ({ id: createdBy, accountId }: User) => ({
    ...{ id: newId(), accountId, createdBy, createdAt: AT },
    ...{ url: "https://example.com/", secret: "v1.k1.sealed", types: ["one", "two"] },
  });

  async function added() {
    const user = await newUser(pools.db);
    const webhook = await addWebhook(pools.db, webhookOf(user), 10, eventOf(user));
    if (webhook === "too_many") throw new Error(webhook);
    const event = eventOf(user);
    await recordEvent(pools.db, event);
    const eventId = (await findEvent(pools.db, event.key))?.id ?? 0;
    return { user, webhook, key: { webhookId: webhook.id, eventId } };
  }

  const typesOf = async ({ accountId }: User) =>
    (await listEvents(pools.db, { accountId, limit: 20 })).events.map(({ type }) => type);

  test("an account has at most so many, also if they are added at once", async () => {
    const user = await newUser(pools.db);
    const outcomes = await burst(pools, 8, (db) =>
      addWebhook(db, webhookOf(user), 3, eventOf(user, "webhook_added")),
    );
    expect(outcomes.filter((outcome) => outcome === "too_many")).toHaveLength(5);
    expect(await listWebhooks(pools.db, user.accountId)).toHaveLength(3);
    expect(await typesOf(user)).toEqual(Array(3).fill("webhook_added"));
  });

  test("are disabled once, however often it is told; a late retry does not disable them again", async () => {
    const { user, webhook } = await added();
    const target = { accountId: user.accountId, webhookId: webhook.id };
    const failing = eventOf(user, "webhook_disabled");
    const disable = { ...target, reason: "failing" };
    const answers = await burst(pools, 6, (db) => setWebhookDisabled(db, disable, failing));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await listEnabledWebhooks(pools.db, [user.accountId])).toEqual([]);
    const enable = { ...target, reason: null };
    expect(await setWebhookDisabled(pools.db, enable, eventOf(user, "webhook_enabled"))).toBe(true);
    expect(await setWebhookDisabled(pools.db, disable, failing)).toBe(false);
    expect(await listEnabledWebhooks(pools.db, [user.accountId])).toMatchObject([
      { id: webhook.id, types: ["one", "two"] },
    ]);
  });

  test("of another account cannot be read, removed or disabled", async () => {
    const { user, webhook } = await added();
    const { accountId } = await newUser(pools.db);
    const target = { accountId, webhookId: webhook.id };
    expect(await getWebhook(pools.db, accountId, webhook.id)).toBeUndefined();
    expect(await removeWebhook(pools.db, target, eventOf(user))).toBe(false);
    expect(await setWebhookDisabled(pools.db, { ...target, reason: "gone" }, eventOf(user))).toBe(
      false,
    );
    expect(await getWebhook(pools.db, user.accountId, webhook.id)).toEqual(webhook);
  });

  test("a late note about a delivery changes nothing, in any order", async () => {
    const { key } = await added();
    const note = (db: typeof pools.db, attempts: number, state: string, outcome?: string) =>
      noteDelivery(db, { ...key, attempts, state, outcome, at: AT });
    await note(pools.db, 1, "attempting");
    expect((await getDelivery(pools.db, key))?.delivery).toMatchObject({
      ...{ state: "attempting", attempts: 1, lastOutcome: null, lastAttemptAt: null },
    });
    const notes: [number, string, string?][] = [
      [1, "waiting", "500"],
      [2, "attempting"],
      [2, "waiting", "timeout"],
      [3, "attempting"],
      [3, "delivered", "204"],
    ];
    await burst(pools, notes.length, (db, index) =>
      note(db, ...(notes[notes.length - 1 - index] as (typeof notes)[number])),
    );
    expect((await getDelivery(pools.db, key))?.delivery).toMatchObject({
      ...{ state: "delivered", attempts: 3, lastOutcome: "204", lastAttemptAt: AT },
    });
    // A resend without an outcome yet.
    await note(pools.db, 4, "attempting");
    expect((await getDelivery(pools.db, key))?.delivery).toMatchObject({
      ...{ state: "attempting", attempts: 4, lastOutcome: "204" },
    });
  });

  test("old finished deliveries are deleted once; running ones and those of other webhooks stay", async () => {
    const DAY_MS = 24 * 60 * 60_000;
    const [one, other] = [await added(), await added()];
    const note = (webhookId: string, eventId: number, state: string, daysAgo: number) =>
      noteDelivery(pools.db, {
        ...{ webhookId, eventId, state, attempts: 1, outcome: "204" },
        at: new Date(AT.getTime() - daysAgo * DAY_MS),
      });
    const [mine, others] = [one.key.webhookId, other.key.webhookId];
    const { eventId } = one.key;
    await note(others, eventId, "delivered", 91);
    await note(mine, eventId, "delivered", 91);
    const forget = (db: typeof pools.db) =>
      forgetDeliveries(db, { webhookId: mine, before: new Date(AT.getTime() - 90 * DAY_MS) });
    await burst(pools, 4, forget);
    expect(await getDelivery(pools.db, one.key)).toBeUndefined();
    expect(await getDelivery(pools.db, { webhookId: others, eventId })).toBeDefined();
    await note(mine, eventId, "waiting", 91);
    await note(mine, other.key.eventId, "delivered", 89);
    await forget(pools.db);
    const { deliveries } = await listDeliveries(pools.db, { webhookId: mine, limit: 9 });
    expect(deliveries.map(({ delivery }) => delivery.state).toSorted()).toEqual([
      "delivered",
      "waiting",
    ]);
  });

  test("a removed webhook gets no more notes, and its deliveries go with it", async () => {
    const { user, webhook, key } = await added();
    const note = { ...key, attempts: 1, state: "waiting", outcome: "500", at: AT };
    await noteDelivery(pools.db, note);
    await removeWebhook(
      pools.db,
      { accountId: user.accountId, webhookId: webhook.id },
      eventOf(user),
    );
    expect(await getDelivery(pools.db, key)).toBeUndefined();
    await noteDelivery(pools.db, { ...note, attempts: 2 });
    expect(await getDelivery(pools.db, key)).toBeUndefined();
  });

  test("deliveries come page by page, and it is known whether any was accepted since one began", async () => {
    const { user, webhook, key } = await added();
    const { webhookId } = key;
    const at = (minutes: number) => new Date(AT.getTime() + minutes * 60_000);
    const note = { attempts: 1, state: "waiting", outcome: "500" };
    await noteDelivery(pools.db, { ...key, ...note, at: at(5) });
    expect(await tookAnythingSince(pools.db, key)).toBe(false);
    const ids = [key.eventId];
    for (const minutes of [1, 9]) {
      const event = eventOf(user);
      await recordEvent(pools.db, event);
      const eventId = (await findEvent(pools.db, event.key))?.id ?? 0;
      ids.unshift(eventId);
      const taken = { ...note, state: "delivered", outcome: "200", at: at(minutes) };
      await noteDelivery(pools.db, { webhookId, eventId, ...taken });
      expect(await tookAnythingSince(pools.db, key)).toBe(minutes > 5);
    }
    const first = await listDeliveries(pools.db, { webhookId: webhook.id, limit: 2 });
    const rest = await listDeliveries(pools.db, { webhookId, before: first.next, limit: 2 });
    const pages = [...first.deliveries, ...rest.deliveries];
    expect(pages.map(({ event }) => event.id)).toEqual(ids);
    expect(rest.next).toBeUndefined();
  });
});
