import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { CoreDeps } from "../../../core/deps.ts";
import { requireRole } from "../../../core/sessions/roles.ts";
import { deliveriesOf, resend } from "../../../core/webhooks/deliveries.ts";
import {
  accountWebhook,
  accountWebhooks,
  deleteWebhook,
  enableWebhook,
  makeWebhook,
} from "../../../core/webhooks/webhooks.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { pageQuery } from "../../http/inputs.ts";
import { webhookTypesSchema } from "../../http/webhook-types.ts";
import { bearer, idParam, json, post, problems } from "../openapi.ts";

const tags = ["Webhooks"];
const security = bearer;
const path = "/v1/account/webhooks";

const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    types: z.array(z.string()).nullable().openapi({ description: "null: every event" }),
    state: z.enum(["enabled", "disabled"]),
    disabledFor: z.string().nullable().openapi({
      description: "`gone`: it answered 410; `failing`: all deliveries failed for three days",
    }),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
  })
  .openapi("Webhook");

const deliverySchema = z
  .object({
    eventId: z.int(),
    type: z.string(),
    at: z.iso.datetime().openapi({ description: "When the event happened" }),
    state: z.enum(["attempting", "waiting", "delivered", "failed", "canceled"]),
    attempts: z.int(),
    lastOutcome: z.string().nullable().openapi({
      description: "An HTTP status, or a word such as `timeout`, `unreachable`, `blocked_address`",
    }),
    lastAttemptAt: z.iso.datetime().nullable(),
  })
  .openapi("WebhookDelivery");

const add = createRoute({
  method: "post",
  path,
  tags,
  summary: "Send your account's events to a URL",
  description:
    "Events follow [Standard Webhooks](https://www.standardwebhooks.com): `{type, timestamp, " +
    "data}`, signed with the secret that only this answer shows. `webhook-id` stays the same " +
    "however often an event is sent, and no other event ever has it; drop repeats by it and not " +
    "by `data.id`, which may come again after a restore. A 2xx within 15 seconds confirms the event. Without one we " +
    "try again for three days. If all deliveries failed by then, the webhook is disabled. A 410 " +
    "disables it at once.",
  security,
  request: post(
    z.object({
      url: z.string().trim().min(1).max(2000).openapi({ example: "https://example.com/hooks" }),
      types: webhookTypesSchema
        .nullish()
        .openapi({ description: "Leave this out for every event" }),
    }),
  ),
  responses: {
    201: json(
      webhookSchema.extend({ secret: z.string().openapi({ example: "whsec_..." }) }),
      "The webhook with its secret",
    ),
    ...problems(
      { session: true, role: true, body: true, post: true },
      "invalid_webhook_url",
      "too_many_webhooks",
      "too_many_requests",
    ),
  },
});

const list = createRoute({
  method: "get",
  path,
  tags,
  summary: "The webhooks of your account",
  security,
  responses: {
    200: json(z.object({ webhooks: z.array(webhookSchema) }), "The webhooks, the oldest first"),
    ...problems({ session: true, role: true }),
  },
});

const get = createRoute({
  method: "get",
  path: `${path}/{id}`,
  tags,
  summary: "One webhook",
  security,
  request: { params: idParam },
  responses: {
    200: json(webhookSchema, "The webhook"),
    ...problems({ session: true, role: true }, "webhook_not_found"),
  },
});

const remove = createRoute({
  method: "delete",
  path: `${path}/{id}`,
  tags,
  summary: "Remove a webhook and its deliveries",
  security,
  request: { params: idParam },
  responses: {
    204: { description: "Removed" },
    ...problems({ session: true, role: true }, "webhook_not_found"),
  },
});

const enable = createRoute({
  method: "post",
  path: `${path}/{id}/enable`,
  tags,
  summary: "Enable a disabled webhook",
  security,
  request: { params: idParam, ...post() },
  responses: {
    200: json(webhookSchema, "The webhook"),
    ...problems(
      { session: true, role: true, post: true },
      "webhook_not_found",
      "too_many_requests",
    ),
  },
});

const deliveries = createRoute({
  method: "get",
  path: `${path}/{id}/deliveries`,
  tags,
  summary: "The deliveries of a webhook, newest event first",
  security,
  request: { params: idParam, query: pageQuery },
  responses: {
    200: json(
      z.object({
        deliveries: z.array(deliverySchema),
        next: z.int().nullable().openapi({ description: "`before` of the next page" }),
      }),
      "A page of deliveries",
    ),
    ...problems({ session: true, role: true }, "webhook_not_found", "invalid_request"),
  },
});

const again = createRoute({
  method: "post",
  path: `${path}/{id}/deliveries/{eventId}/resend`,
  tags,
  summary: "Send an event once more",
  security,
  request: {
    params: idParam.extend({ eventId: z.string().openapi({ example: "42" }) }),
    ...post(),
  },
  responses: {
    202: json(deliverySchema, "The delivery; it is under way"),
    ...problems(
      { session: true, role: true, post: true },
      "reauthentication_required",
      "webhook_not_found",
      "delivery_not_found",
      "webhook_disabled",
      "illegal_transition",
      "resend_limit",
    ),
  },
});

/** Routes of the webhooks of an administrator's account, and of their deliveries. */
export function webhookRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const origin = (c: Context) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const administrator = async (c: Context) => {
    const session = await authenticate(c, deps);
    await requireRole(deps, session, "administrator");
    return session;
  };

  app.openapi(add, async (c) => {
    const session = await administrator(c);
    const { url, types = null } = c.req.valid("json");
    const { webhook, secret } = await makeWebhook(deps, session, { url, types }, origin(c));
    return c.json({ ...webhook, secret }, 201);
  });

  app.openapi(list, async (c) => {
    return c.json({ webhooks: await accountWebhooks(deps, await administrator(c)) }, 200);
  });

  app.openapi(get, async (c) => {
    const session = await administrator(c);
    return c.json(await accountWebhook(deps, session, c.req.valid("param").id), 200);
  });

  app.openapi(remove, async (c) => {
    const session = await administrator(c);
    await deleteWebhook(deps, session, c.req.valid("param").id, origin(c));
    return c.body(null, 204);
  });

  app.openapi(enable, async (c) => {
    const session = await administrator(c);
    return c.json(await enableWebhook(deps, session, c.req.valid("param").id, origin(c)), 200);
  });

  app.openapi(deliveries, async (c) => {
    const session = await administrator(c);
    const page = { ...c.req.valid("param"), ...c.req.valid("query") };
    return c.json(await deliveriesOf(deps, session, page), 200);
  });

  app.openapi(again, async (c) => {
    const session = await administrator(c);
    return c.json(await resend(deps, session, c.req.valid("param")), 202);
  });
}
