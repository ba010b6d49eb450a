import { eventRef } from "../../store/events/event-refs.ts";
import type { AuditEvent } from "../../store/postgres/schema.ts";
import { webhookDeliveries, webhooks } from "../../store/postgres/schema.ts";
import type { Received } from "../support/receiver.ts";
import type { Installation } from "./installation.ts";

/** Events that a webhook should have received and did not, and how many it should have received. */
export async function judgeDeliveries(
  { db }: Installation,
  events: readonly AuditEvent[],
  received: readonly Received[],
) {
  const arrived = new Set(received.map(({ path, headers }) => `${path} ${headers["webhook-id"]}`));
  const notes = await db.select().from(webhookDeliveries);
  const lost: string[] = [];
  let wanted = 0;
  for (const { id, accountId, url, disabledFor } of await db.select().from(webhooks)) {
    if (disabledFor) lost.push(`The webhook ${id} is disabled: ${disabledFor}`);
    const added = events.find(
      ({ type, detail }) => type === "webhook_added" && detail.webhookId === id,
    );
    if (!added) lost.push(`Nothing tells of the webhook ${id}`);
    const due = events.filter(
      (each) => each.accountId === accountId && each.id >= (added?.id ?? 0),
    );
    for (const event of due) {
      wanted += 1;
      const note = notes.find(({ webhookId, eventId }) => webhookId === id && eventId === event.id);
      if (!arrived.has(`${new URL(url).pathname} evt_${eventRef(event.key)}`))
        lost.push(`${event.type} ${event.id} did not arrive at the webhook ${id}`);
      if (note?.state !== "delivered")
        lost.push(`${event.type} ${event.id} for the webhook ${id} is ${note?.state}`);
    }
  }
  return { lost, wanted, copies: received.length - arrived.size };
}
