import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import { eventTypesSchema } from "../api/schemas.ts";
import { accountWebhooks, makeWebhook, type WebhookView } from "../api/webhooks.ts";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Fault, Field, Form, Notice, Time } from "./parts.tsx";
import { signedInAs } from "./roles.ts";
import { faultsOf, NO_FAULTS } from "./words.ts";

const PATH = "/account/webhooks";

/** The webhooks of an administrator's account, and a new one. */
export function webhookPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    return listPage(c, who, await accountWebhooks(deps, who.session));
  });

  app.get(`${PATH}/new`, async (c) => newPage(c, await signedInAs(c, deps, "administrator")));

  app.post(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const origin = originOf(c, deps.config.TRUSTED_PROXIES);
    try {
      const wanted = { url: field(c, "url"), types: typesOf(field(c, "types")) };
      const { webhook, secret } = await makeWebhook(deps, who.session, wanted, origin);
      c.set("onRepeat", `${PATH}/${webhook.id}`);
      return secretPage(c, who, webhook, secret);
    } catch (error) {
      return newPage(c, who, faultsOf(error));
    }
  });
}

/** Types as typed, with commas or spaces between them; null for none. */
function typesOf(typed: string): string[] | null {
  const names = typed.split(/[\s,]+/).filter(Boolean);
  if (names.length === 0) return null;
  const { data, error } = eventTypesSchema.safeParse(names);
  if (data) return data;
  const message = error.issues[0]?.message ?? "";
  throw new Problem("invalid_request", message, { errors: [{ path: "types", message }] });
}

function listPage(c: PortalContext, who: Who, webhooks: WebhookView[]) {
  return page(
    c,
    { title: "Webhooks", who },
    <>
      <h1>Webhooks</h1>
      {c.req.query("done") !== undefined && <Notice kind="good">The webhook was removed.</Notice>}
      <section class="card">
        <div class="head">
          <h2>Where events are sent</h2>
          <a class="button small" href={`${PATH}/new`} aria-label="Add a webhook">
            Add
          </a>
        </div>
        {webhooks.length === 0 && (
          <p>
            Nowhere yet. What happens in your account can be sent to other systems as it happens,
            signed as <a href="https://www.standardwebhooks.com">Standard Webhooks</a> says.
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

/** Whether a webhook is sent anything. */
export function WebhookTag({ webhook: { state } }: { webhook: WebhookView }) {
  return (
    <span class={state === "enabled" ? "tag good" : "tag bad"}>
      {state === "enabled" ? "Enabled" : "Disabled"}
    </span>
  );
}

function newPage(c: PortalContext, who: Who, faults = NO_FAULTS) {
  return page(
    c,
    { title: "Add a webhook", who, narrow: true, status: faults.status },
    <>
      <Fault faults={faults} />
      <section class="card">
        <h1>Add a webhook</h1>
        <Form action={PATH}>
          <Field
            name="url"
            label="URL"
            hint="Where events are sent; it begins with https://."
            faults={faults}
            value={field(c, "url")}
            type="url"
            autocomplete="off"
            required
          />
          <Field
            name="types"
            label="Types of event"
            hint="Such as login_failed, account_locked; nothing for every type."
            faults={faults}
            value={field(c, "types")}
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
          />
          <div class="actions">
            <button type="submit">Add the webhook</button>
            <a href={PATH}>Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}

/** The answer that shows the secret. */
function secretPage(c: PortalContext, who: Who, webhook: WebhookView, secret: string) {
  return page(
    c,
    { title: "The webhook's secret", who, narrow: true },
    <>
      <Notice>This secret is shown this once.</Notice>
      <section class="card">
        <h1>The webhook's secret</h1>
        <p>The receiver checks with it that what comes is from us, and nothing old.</p>
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
      </section>
    </>,
  );
}
