import { eventRef } from "../../store/events/event-refs.ts";
import {
  type EventDelivery,
  getDelivery,
  listDeliveries,
} from "../../store/postgres/webhooks/webhook-deliveries.ts";
import { keys } from "../../store/redis/keys.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { DAY_MS } from "../../units.ts";
import type { WebhookDeliveryState } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, spendAll } from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { accountWebhook } from "./webhooks.ts";

type Account = Pick<Session, "accountId">;

/** An event on its way to a webhook. */
export type DeliveryView = {
  eventId: number;
  type: string;
  /** When the event happened. */
  at: string;
  state: WebhookDeliveryState;
  attempts: number;
  lastOutcome: string | null;
  lastAttemptAt: string | null;
};

/** A page of a webhook's deliveries, the newest event first. Throws `webhook_not_found`. */
export async function deliveriesOf(
  deps: Pick<CoreDeps, "db">,
  account: Account,
  { id, ...page }: { id: string; before?: number; limit: number },
): Promise<{ deliveries: DeliveryView[]; next: number | null }> {
  await accountWebhook(deps, account, id);
  const { deliveries, next } = await listDeliveries(deps.db, { webhookId: id, ...page });
  return { deliveries: deliveries.map(describeDelivery), next: next ?? null };
}

/**
 * Sends an event again. A waiting delivery is attempted at once; one that has ended starts again.
 * Throws `reauthentication_required`, `webhook_not_found`, `delivery_not_found`, `webhook_disabled`,
 * `resend_limit` after 30 in 24 hours, and `illegal_transition` while an attempt is under way, which costs nothing.
 */
export async function resend(
  deps: CoreDeps,
  session: Session,
  { id: webhookId, eventId: asked }: { id: string; eventId: string },
): Promise<DeliveryView> {
  const { db, redis, clock, flows, config } = deps;
  await requireRecentLogin(deps, session);
  const { state } = await accountWebhook(deps, session, webhookId);
  // At most 15 digits, so the value stays a safe integer.
  const eventId = /^\d{1,15}$/.test(asked) ? Number(asked) : 0;
  const delivery = { webhookId, eventId };
  const found = await getDelivery(db, delivery);
  if (!found) throw new Problem("delivery_not_found", "The webhook has no delivery with this ID.");
  if (state === "disabled")
    throw new Problem("webhook_disabled", "Enable the webhook first, then send again.");
  const flow = { webhookId, ref: eventRef(found.event.key) };
  const view = await flows.webhookDelivery(flow);
  const rules = [{ limit: config.limits.webhooks.resendsPerDay, windowMs: DAY_MS }];
  const charge = { key: keys.deliveryResends(webhookId, flow.ref), rules };
  const spent = await spendAll(redis, clock.now(), [charge], {
    code: "resend_limit",
    detail: "This event was sent again too often today.",
  });
  const sent = await payIfDone(spent, async () => {
    await requireStillLive(deps, session);
    if (view?.state === "waiting") return (await flows.resendDelivery(flow)).moved;
    return flows.startWebhookDelivery({
      accountId: session.accountId,
      userId: found.event.userId ?? undefined,
      ...flow,
      eventId,
      retriesMs: config.limits.webhooks.retriesMs,
      attemptsBefore: found.delivery.attempts,
    });
  });
  if (!sent) throw underWay();
  return { ...describeDelivery(found), state: "attempting" };
}

const underWay = () =>
  new Problem("illegal_transition", "The event is being sent now. Try again later.");

function describeDelivery({ delivery, event }: EventDelivery): DeliveryView {
  const { eventId, state, attempts, lastOutcome, lastAttemptAt } = delivery;
  return {
    eventId,
    type: event.type,
    at: event.at.toISOString(),
    state: state as WebhookDeliveryState,
    attempts,
    lastOutcome,
    lastAttemptAt: lastAttemptAt?.toISOString() ?? null,
  };
}
