import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { type DeliveryView, deliveriesOf, resend } from "../../core/webhooks/deliveries.ts";
import {
  accountWebhook,
  deleteWebhook,
  enableWebhook,
  type WebhookView,
} from "../../core/webhooks/webhooks.ts";
import { cursorOf } from "../account/activity.tsx";
import { sentence } from "../account/event-words.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { done } from "../layout/flash.ts";
import { type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { page, type Who } from "../layout/layout.tsx";
import { Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";
import { WebhookTag } from "./webhooks.tsx";

const LIST = "/account/webhooks";
const PATH = `${LIST}/:id`;

/** One webhook of an administrator's account, and its deliveries. */
export function oneWebhookPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const origin = (c: PortalContext) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);

  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    return webhookPage(c, deps, who, c.req.param("id"));
  });

  app.get(`${PATH}/remove`, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const { id, url } = await accountWebhook(deps, who.session, c.req.param("id"));
    const question = {
      title: "Remove this webhook?",
      action: `${LIST}/${id}/remove`,
      button: "Remove the webhook",
      cancel: `${LIST}/${id}`,
    };
    return confirmPage(
      c,
      who,
      question,
      <>
        <p>{url}</p>
        <p>No more events will be sent there, and its deliveries are deleted.</p>
      </>,
    );
  });

  takeForm(app, `${PATH}/remove`, { at: `${PATH}/remove` }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    await deleteWebhook(deps, session, c.req.param("id") ?? "", origin(c));
    return done(c, LIST, "The webhook was removed.");
  });

  app.get(`${PATH}/enable`, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const { id, url } = await accountWebhook(deps, who.session, c.req.param("id"));
    const question = {
      title: "Enable this webhook?",
      action: `${LIST}/${id}/enable`,
      button: "Enable the webhook",
      cancel: `${LIST}/${id}`,
      safe: true,
    };
    return confirmPage(
      c,
      who,
      question,
      <>
        <p>{url}</p>
        <p>Events will be sent there from now on.</p>
      </>,
    );
  });

  takeForm(app, `${PATH}/enable`, { at: `${PATH}/enable` }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const { id } = await enableWebhook(deps, session, c.req.param("id") ?? "", origin(c));
    return done(c, `${LIST}/${id}`, "Webhook enabled.");
  });

  takeForm(app, `${PATH}/deliveries/:eventId/resend`, { at: PATH }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const { id = "", eventId = "" } = c.req.param();
    await resend(deps, session, { id, eventId });
    return done(c, `${LIST}/${id}`, "Sending the event again.");
  });
}

const DISABLED: Record<string, string> = {
  gone: "Its receiver asked for no more events (410 Gone).",
  failing: "All deliveries failed for three days.",
};

async function webhookPage(c: PortalContext, deps: CoreDeps, who: Who, id: string) {
  const { before, limit } = cursorOf(c);
  const webhook = await accountWebhook(deps, who.session, id);
  const { deliveries, next } = await deliveriesOf(deps, who.session, { id, before, limit });
  return page(
    c,
    { title: "Webhook", who },
    <>
      <h1>Webhook</h1>
      <Settings webhook={webhook} />
      <section class="card">
        <h2>Deliveries</h2>
        {deliveries.length === 0 && <p class="quiet">No deliveries yet.</p>}
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
          <a class="button" href={`${LIST}/${id}/enable`}>
            Enable the webhook
          </a>
        )}
        <a class="button danger" href={`${LIST}/${id}/remove`}>
          Remove the webhook
        </a>
      </div>
    </section>
  );
}

const STATES: Record<DeliveryView["state"], string> = {
  attempting: "Sending",
  waiting: "Retrying",
  delivered: "Delivered",
  failed: "Failed",
  canceled: "Canceled",
};

type Row = { delivery: DeliveryView; webhook: WebhookView };

function DeliveryRow({ delivery, webhook }: Row) {
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
