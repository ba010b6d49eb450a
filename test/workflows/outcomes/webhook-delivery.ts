import { newWebhookSecret } from "../../../providers/webhook/webhook.ts";
import { newId } from "../../../store/ids.ts";
import { findEvent, recordEvent } from "../../../store/postgres/events/events.ts";
import { addWebhook } from "../../../store/postgres/webhooks/webhooks.ts";
import { seal } from "../../../store/sealing.ts";
import { AT, eventOf, newUser } from "../../store/postgres/database.ts";
import { startReceiver } from "../../support/receiver.ts";
import { eventually } from "../flows.ts";
import type { World } from "../world.ts";
import { type Outcome, SOON_MS } from "./outcome.ts";

const NOBODY_LISTENS = "http://127.0.0.1:1/hooks";

/** Delivers an event of a new account to its webhook at this URL. */
async function delivery(world: World, url: string, retriesMs: number[] = []) {
  const user = await newUser(world.db);
  const { id: createdBy, accountId } = user;
  const id = newId();
  const secret = seal(world.config.SEALING_KEYS, newWebhookSecret(), id);
  const webhook = { id, accountId, url, secret, types: null, createdBy, createdAt: AT };
  await addWebhook(world.db, webhook, 1, eventOf(user));
  const event = eventOf(user);
  await recordEvent(world.db, event);
  const eventId = (await findEvent(world.db, event.key))?.id ?? 0;
  return world.webhookDelivery({ accountId, webhookId: id, eventId, retriesMs });
}

/** The ways in which a webhook delivery ends. */
export const webhookOutcomes: Record<string, Outcome> = {
  async "an event that is taken when it is sent again"(world) {
    const receiver = await startReceiver();
    receiver.answers(500);
    const { handle, view, reaches, update } = await delivery(world, receiver.url, [
      SOON_MS,
      86_400_000,
    ]);
    await reaches("waiting");
    await world.pass(SOON_MS);
    await eventually(async () => (await view()).attempts).toBe(2);
    await reaches("waiting");
    // Waits for the activity's end: the time-skipping server loses an Update that cancels an
    // activity which has just ended.
    await eventually(async () => (await handle.describe()).raw.pendingActivities).toEqual([]);
    receiver.answers(204);
    await update("resend");
    await handle.result();
    await receiver.stop();
    return handle;
  },
  async "an event that nobody takes"(world) {
    return (await delivery(world, NOBODY_LISTENS, [SOON_MS])).handle;
  },
  async "an event for a webhook that is gone"(world) {
    const { accountId } = await newUser(world.db);
    const nowhere = { accountId, webhookId: newId(), eventId: 1 };
    return (await world.webhookDelivery({ ...nowhere, retriesMs: [] })).handle;
  },
};
