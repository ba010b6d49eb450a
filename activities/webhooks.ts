import { webhookSender } from "../providers/webhook/webhook.ts";
import { eventRef, isMeant } from "../store/events/event-refs.ts";
import { getEvent, type ShownEvent, showEvents } from "../store/postgres/events/read-events.ts";
import {
  forgetDeliveries,
  getDelivery,
  noteDelivery,
  tookAnythingSince,
} from "../store/postgres/webhooks/webhook-deliveries.ts";
import { getWebhook, setWebhookDisabled } from "../store/postgres/webhooks/webhooks.ts";
import { unseal } from "../store/sealing.ts";
import { publish } from "../telemetry/facts.ts";
import { inSpan } from "../telemetry/spans.ts";
import { atMostPerAccount } from "./at-once.ts";
import { currentWorkflowId } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";

type Delivery = { accountId: string; webhookId: string; eventId: number; ref?: string };

/** The state of a delivery, as its workflow reports it. */
type Standing = Delivery & { state: string; attempts: number; outcome?: string };

/** The result of an attempt, as an event of the delivery's machine. */
type Attempted =
  | { type: "EVENT_TAKEN" | "ATTEMPT_FAILED" | "WEBHOOK_REFUSED"; outcome: string }
  | { type: "WEBHOOK_GONE" };

/**
 * RFC 9110 section 15.5.11. In Standard Webhooks it means that the receiver wants no more events.
 */
const GONE = "410";

/** The steps that deliver an event to a webhook. */
export function webhookActivities({ db, config, clock, log }: ActivityDeps) {
  const sender = webhookSender({
    inside: config.WEBHOOKS_INSIDE,
    timeoutMs: config.limits.webhooks.timeoutMs,
  });
  const inTurn = atMostPerAccount(config.limits.webhooks.atOnce);
  /** Undefined if a restored database has lost the event, or has another by its number. */
  const eventOf = async ({ eventId, ref }: Delivery) => {
    const event = await getEvent(db, eventId);
    if (event && isMeant(event, ref)) return event;
    log.warn({ eventId }, "a delivery's event is gone; nothing is sent or noted");
    return undefined;
  };
  /** False if the event is gone. */
  const note = async (standing: Standing): Promise<boolean> => {
    if (!(await eventOf(standing))) return false;
    await noteDelivery(db, { ...standing, at: new Date(clock.now()) });
    return true;
  };

  /** Attempts by hand may use a delivery up within seconds, while its receiver is started anew. */
  const mayRecover = async (standing: Standing): Promise<boolean> => {
    const found = await getDelivery(db, standing);
    const failingSince = clock.now() - config.limits.webhooks.failingMs;
    if (found && found.delivery.createdAt.getTime() > failingSince) return true;
    return tookAnythingSince(db, standing);
  };

  const sendOnce = async (attempt: Delivery & { attempts: number }): Promise<Attempted> => {
    const { accountId, webhookId } = attempt;
    const webhook = await getWebhook(db, accountId, webhookId);
    const event = await eventOf(attempt);
    const own = event?.accountId === accountId ? [event] : [];
    const [shown] = await showEvents(db, own, "account");
    if (!webhook || webhook.disabledFor !== null || !event || !shown)
      return { type: "WEBHOOK_GONE" };
    await noteDelivery(db, { ...attempt, state: "attempting", at: new Date(clock.now()) });
    await forgetDeliveries(db, {
      webhookId,
      before: new Date(clock.now() - config.limits.webhooks.listedMs),
    });
    const message = {
      url: webhook.url,
      secret: unseal(config.SEALING_KEYS, webhook.secret, webhookId).toString(),
      id: `evt_${eventRef(event.key)}`,
      at: new Date(clock.now()),
      body: bodyOf(shown),
    };
    const outcome = await inSpan(
      () => ({ name: "webhook", attributes: { "webhook.id": webhookId } }),
      () => sender.send(message),
      (outcome) => ({ outcome }),
    );
    publish("webhook", { outcome });
    if (/^2..$/.test(outcome)) return { type: "EVENT_TAKEN", outcome };
    return { type: outcome === GONE ? "WEBHOOK_REFUSED" : "ATTEMPT_FAILED", outcome };
  };

  return {
    /**
     * Sends the event once. After a crash it may be sent again; receivers recognise it by its
     * `webhook-id`.
     */
    sendEvent: (attempt: Delivery & { attempts: number }): Promise<Attempted> =>
      inTurn(attempt.accountId, () => sendOnce(attempt)),

    async noteDelivery(standing: Standing): Promise<void> {
      await note(standing);
    },

    /**
     * Also disables the webhook if it wants no more events, or if this delivery has failed for a day
     * and the webhook has accepted no event since it began.
     */
    async giveUp(standing: Standing): Promise<void> {
      if (!(await note(standing))) return;
      const { accountId, webhookId, outcome } = standing;
      if (outcome !== GONE && (await mayRecover(standing))) return;
      const reason = outcome === GONE ? "gone" : "failing";
      const workflowId = currentWorkflowId();
      await setWebhookDisabled(
        db,
        { accountId, webhookId, reason },
        {
          key: `${workflowId}/webhook_disabled/${standing.attempts}`,
          at: new Date(clock.now()),
          type: "webhook_disabled",
          accountId,
          workflowId,
          detail: { webhookId, reason, outcome },
        },
      );
    },
  };
}

/** The payload that Standard Webhooks recommends. */
function bodyOf(data: ShownEvent): string {
  return JSON.stringify({ type: data.type, timestamp: data.at, data });
}
