import { newWebhookSecret } from "../../providers/webhook/webhook.ts";
import { eventRef } from "../../store/events/event-refs.ts";
import { newId } from "../../store/ids.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { getEvent } from "../../store/postgres/events/read-events.ts";
import { addWebhook } from "../../store/postgres/webhooks/webhooks.ts";
import { type Keyring, seal } from "../../store/sealing.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { AT, eventOf, newUser } from "../store/postgres/database.ts";
import type { Receiver } from "./receiver.ts";

/** Adds a webhook to a new account, which also gets a user that events can be about. */
export async function newWebhook(
  { db, config }: { db: Db; config: { SEALING_KEYS: Keyring } },
  { url }: Pick<Receiver, "url">,
  types: string[] | null = null,
) {
  const user = await newUser(db);
  const { accountId } = user;
  const id = newId();
  const secret = newWebhookSecret();
  const sealed = seal(config.SEALING_KEYS, secret, id);
  const webhook = { id, accountId, url, secret: sealed, types, createdBy: user.id, createdAt: AT };
  await addWebhook(db, webhook, 10, eventOf(user, "webhook_added"));
  return { user, accountId, webhookId: id, secret };
}

/** The name of the event with this number, as workflow IDs and receivers have it. */
export async function refOf(db: Db, eventId: number): Promise<string> {
  return eventRef((await getEvent(db, eventId))?.key ?? `no event ${eventId}`);
}

/** The workflow that delivers an event to a webhook. */
export const deliveryFlow = async (db: Db, webhookId: string, eventId: number) =>
  workflowIds.webhookDelivery(webhookId, await refOf(db, eventId));
