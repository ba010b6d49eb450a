import { webhookDeliveryMachine } from "../machines/webhook-delivery.ts";
import { durable, posting } from "./activities.ts";
import { host } from "./host.ts";
import type { WebhookDeliveryArgs } from "./messages.ts";
import type { WebhookDeliveryView } from "./view-types.ts";
import { webhookDeliveryView } from "./views.ts";

/** Delivers one event to one webhook, from the first attempt until it is accepted or given up. */
export async function webhookDelivery(args: WebhookDeliveryArgs): Promise<WebhookDeliveryView> {
  const { accountId, webhookId, eventId, ref } = args;
  const delivery = { accountId, webhookId, eventId, ref };
  return host(webhookDeliveryMachine, args, {
    name: "webhookDelivery",
    view: webhookDeliveryView,
    effects: {
      sendEvent: (snapshot) =>
        posting.sendEvent({ ...delivery, attempts: webhookDeliveryView(snapshot).attempts }),
      noteDelivery: (snapshot) =>
        durable.noteDelivery({ ...delivery, ...webhookDeliveryView(snapshot) }),
      giveUp: (snapshot) => durable.giveUp({ ...delivery, ...webhookDeliveryView(snapshot) }),
    },
  });
}
