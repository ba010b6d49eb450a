import type { Config } from "../config.ts";
import { eventRef } from "../store/events/event-refs.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { listEnabledWebhooks } from "../store/postgres/webhooks/webhooks.ts";
import { workflowIds } from "../workflows/ids.ts";
import type { FollowUp } from "./start.ts";

/** Finds each event's deliveries: to the webhooks of its account that want its type. */
export async function deliveries(
  { db, config }: { db: Db; config: Config },
  events: readonly AuditEvent[],
): Promise<(event: AuditEvent) => FollowUp[]> {
  const accountIds = [...new Set(events.map(({ accountId }) => accountId))];
  const webhooks = await listEnabledWebhooks(db, accountIds);
  const { retriesMs } = config.limits.webhooks;
  return ({ id: eventId, key, type, accountId, userId }) => {
    const ref = eventRef(key);
    return webhooks
      .filter((webhook) => webhook.accountId === accountId)
      .filter(({ types }) => types === null || types.includes(type))
      .map(({ id: webhookId }) => ({
        type: "webhookDelivery",
        workflowId: workflowIds.webhookDelivery(webhookId, ref),
        args: {
          accountId,
          userId: userId ?? undefined,
          webhookId,
          eventId,
          ref,
          retriesMs,
          attemptsBefore: 0,
        },
        summary: `${type} to a webhook`,
        state: "attempting",
      }));
  };
}
