import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { webhookTypesSchema } from "../../api/http/webhook-types.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  accountWebhook,
  accountWebhooks,
  makeWebhook,
  type WebhookView,
} from "../../core/webhooks/webhooks.ts";
import { EVENT_WORDS } from "../../store/events/event-types.ts";
import { done } from "../layout/flash.ts";
import { badFields, field, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, page, type Who } from "../layout/layout.tsx";
import { Field, Form, Notice, Time } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";

const PATH = "/account/webhooks";

/** The webhooks of an administrator's account, and a new one. */
export function webhookPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    return listPage(c, who, await accountWebhooks(deps, who.session));
  });

  app.get(`${PATH}/new`, async (c) =>
    newPage(c, await recentlyLoggedInAs(c, deps, "administrator")),
  );

  const unsure =
    "If the webhook is in your list, its secret was not shown: remove the webhook first.";
  takeForm(app, PATH, { at: `${PATH}/new`, unsure }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const wanted = { url: field(c, "url"), types: typesOf(field(c, "types")) };
    const { webhook, secret } = await makeWebhook(deps, session, wanted, origin);
    return done(c, `${PATH}/${webhook.id}/secret`, undefined, [secret]);
  });

  app.get(`${PATH}/:id/secret`, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const webhook = await accountWebhook(deps, who.session, c.req.param("id"));
    const [secret] = c.get("secrets") ?? [];
    if (secret) return secretPage(c, who, webhook, secret);
    const once = "The secret of a webhook is shown only once, when it is added.";
    const then = "If you did not save it, remove this webhook and add it again.";
    return done(c, `${PATH}/${webhook.id}`, `${once} ${then}`);
  });
}

/** Event types as typed, separated by commas or spaces; null if there are none. */
function typesOf(typed: string): string[] | null {
  const names = typed.split(/[\s,]+/).filter(Boolean);
  if (names.length === 0) return null;
  const { data, error } = webhookTypesSchema.safeParse(names);
  if (data) return data;
  const unknown = error.issues.flatMap(({ path: [at] }) => names[Number(at)] ?? []);
  const [{ message } = { message: "" }] = error.issues;
  if (unknown.length === 0) throw badFields({ types: message });
  throw badFields({ types: `${message.replace(/\.$/, "")}: ${unknown.join(", ")}.` });
}

function listPage(c: PortalContext, who: Who, webhooks: WebhookView[]) {
  return page(
    c,
    { title: "Webhooks", who },
    <>
      <h1>Webhooks</h1>
      <section class="card">
        <div class="head">
          <h2>Where events are sent</h2>
          <a class="button small" href={`${PATH}/new`} aria-label="Add a webhook">
            Add
          </a>
        </div>
        {webhooks.length === 0 && (
          <p>
            No webhooks yet. Send events to your systems as they happen, signed to the{" "}
            <a href="https://www.standardwebhooks.com">Standard Webhooks</a> specification.
          </p>
        )}
        <ul class="rows">
          {webhooks.map((webhook) => (
            <li>
              <div>
                <a href={`${PATH}/${webhook.id}`}>{webhook.url}</a> <WebhookTag webhook={webhook} />
                <div class="quiet">
                  {webhook.types?.join(", ") ?? "Every event"}; added{" "}
                  <Time at={webhook.createdAt} />
                </div>
              </div>
            </li>
          ))}
        </ul>
      </section>
      <p>
        <a href="/account">Account settings</a>
      </p>
    </>,
  );
}

/** Whether a webhook is enabled. */
export function WebhookTag({ webhook: { state } }: { webhook: WebhookView }) {
  return (
    <span class={state === "enabled" ? "tag good" : "tag bad"}>
      {state === "enabled" ? "Enabled" : "Disabled"}
    </span>
  );
}

function newPage(c: PortalContext, who: Who) {
  const faults = c.get("faults");
  return cardPage(
    c,
    { title: "Add a webhook", who },
    <>
      <Form action={PATH}>
        <Field
          name="url"
          label="URL"
          hint="Must begin with https://."
          faults={faults}
          type="url"
          autocomplete="off"
          required
        />
        <Field
          name="types"
          label="Types of event"
          hint="For example login_failed, second_step_failed. Leave empty for all events. The list below names all types."
          faults={faults}
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
        />
        <div class="actions">
          <button type="submit">Add the webhook</button>
          <a href={PATH}>Cancel</a>
        </div>
      </Form>
      <details>
        <summary>Types of event</summary>
        <dl>
          {Object.entries(EVENT_WORDS).map(([type, words]) => (
            <>
              <dt>
                <code>{type}</code>
              </dt>
              <dd>{words}</dd>
            </>
          ))}
        </dl>
      </details>
    </>,
  );
}

/** The page that shows the secret. */
function secretPage(c: PortalContext, who: Who, webhook: WebhookView, secret: string) {
  return cardPage(
    c,
    {
      title: "The webhook's secret",
      who,
      before: <Notice>Save this secret now. You won't see it again.</Notice>,
    },
    <>
      <p>Use it to verify that events come from us and are recent.</p>
      <p class="secret" id="secret">
        {secret}
      </p>
      <div class="actions">
        <button type="button" class="second" data-copy="secret" hidden>
          Copy
        </button>
        <span id="told" role="status" />
        <a href={`${PATH}/${webhook.id}`}>Done</a>
      </div>
    </>,
  );
}
