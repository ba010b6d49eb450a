import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { type DeliveryView, deliveriesOf, resend } from "../api/webhook-deliveries.ts";
import { accountWebhook, deleteWebhook, enableWebhook, type WebhookView } from "../api/webhooks.ts";
import { cursorOf, sentence } from "./activity.tsx";
import type { PortalContext, PortalEnv } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Fault, Form, Notice, Time } from "./parts.tsx";
import { signedInAs } from "./roles.ts";
import { WebhookTag } from "./webhooks.tsx";
import { faultsOf, NO_FAULTS } from "./words.ts";

const LIST = "/account/webhooks";
const PATH = `${LIST}/:id`;

const DONE: Record<string, string> = {
  enabled: "The webhook is sent events again, from now on.",
  resent: "The event is being sent.",
};

/** One webhook of an administrator's account, and what became of each event. */
export function oneWebhookPages(app: Hono<PortalEnv>, deps: Deps) {
  const origin = (c: PortalContext) => originOf(c, deps.config.TRUSTED_PROXIES);

  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    return webhookPage(c, deps, who, c.req.param("id"));
  });

  app.post(`${PATH}/remove`, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    await deleteWebhook(deps, session, c.req.param("id"), origin(c));
    return c.redirect(`${LIST}?done`, 303);
  });

  app.post(`${PATH}/enable`, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const { id } = await enableWebhook(deps, session, c.req.param("id"), origin(c));
    return c.redirect(`${LIST}/${id}?done=enabled`, 303);
  });

  app.post(`${PATH}/deliveries/:eventId/resend`, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const { id, eventId } = c.req.param();
    try {
      await resend(deps, who.session, { id, eventId });
      return c.redirect(`${LIST}/${id}?done=resent`, 303);
    } catch (error) {
      return webhookPage(c, deps, who, id, faultsOf(error));
    }
  });
}

const DISABLED: Record<string, string> = {
  gone: "Its receiver answered that it wants no more events (410 Gone).",
  failing: "Its receiver took nothing for three days.",
};

async function webhookPage(c: PortalContext, deps: Deps, who: Who, id: string, faults = NO_FAULTS) {
  const { before, limit } = cursorOf(c);
  const webhook = await accountWebhook(deps, who.session, id);
  const { deliveries, next } = await deliveriesOf(deps, who.session, { id, before, limit });
  const done = DONE[c.req.query("done") ?? ""];
  return page(
    c,
    { title: "Webhook", who, status: faults.status },
    <>
      <h1>Webhook</h1>
      {done && <Notice kind="good">{done}</Notice>}
      <Fault faults={faults} />
      <Settings webhook={webhook} />
      <section class="card">
        <h2>Deliveries</h2>
        {deliveries.length === 0 && <p class="quiet">Nothing was sent yet.</p>}
        <ul class="rows">
          {deliveries.map((delivery) => (
            <DeliveryRow delivery={delivery} webhook={webhook} />
          ))}
        </ul>
        {next !== null && <a href={`${LIST}/${id}?before=${next}`}>Older deliveries</a>}
      </section>
      <p>
        <a href={LIST}>Webhooks of the account</a>
      </p>
    </>,
  );
}

function Settings({ webhook }: { webhook: WebhookView }) {
  const { id, url, types, state, disabledFor } = webhook;
  return (
    <section class="card">
      <div class="head">
        <h2>Settings</h2>
        <WebhookTag webhook={webhook} />
      </div>
      <p>
        {url}
        <br />
        <span class="quiet">{types?.join(", ") ?? "Every event"}</span>
      </p>
      {disabledFor !== null && <p>{DISABLED[disabledFor]} Nothing is sent to it.</p>}
      <div class="actions">
        {state === "disabled" && (
          <Form action={`${LIST}/${id}/enable`}>
            <button type="submit">Enable</button>
          </Form>
        )}
        <Form action={`${LIST}/${id}/remove`}>
          <button type="submit" class="danger">
            Remove the webhook
          </button>
        </Form>
      </div>
    </section>
  );
}

const STATES: Record<DeliveryView["state"], string> = {
  attempting: "Being sent",
  waiting: "Waits for the next attempt",
  delivered: "Delivered",
  failed: "Given up",
  canceled: "Canceled",
};

function DeliveryRow({ delivery, webhook }: { delivery: DeliveryView; webhook: WebhookView }) {
  const { eventId, type, at, state, attempts, lastOutcome, lastAttemptAt } = delivery;
  const taken = state === "delivered" ? "tag good" : "tag";
  return (
    <li>
      <div>
        {sentence(type)} <span class={state === "failed" ? "tag bad" : taken}>{STATES[state]}</span>
        <div class="quiet">
          Happened <Time at={at} />; {attempts === 1 ? "1 attempt" : `${attempts} attempts`}
          {lastAttemptAt && (
            <>
              , the last <Time at={lastAttemptAt} />: {lastOutcome?.replaceAll("_", " ")}
            </>
          )}
        </div>
      </div>
      {state !== "attempting" && webhook.state === "enabled" && (
        <Form action={`${LIST}/${webhook.id}/deliveries/${eventId}/resend`}>
          <button type="submit" class="second small" aria-label={`Send again: event ${eventId}`}>
            Send again
          </button>
        </Form>
      )}
    </li>
  );
}
