import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { exportActivity } from "../../../core/account/activity-export.ts";
import { listAudit } from "../../../core/audit.ts";
import type { CoreDeps } from "../../../core/deps.ts";
import { requireRole } from "../../../core/sessions/roles.ts";
import { authenticate } from "../../http/authenticate.ts";
import { NDJSON } from "../../http/headers.ts";
import { accountEventFilterQuery, eventFilterQuery, pageQuery } from "../../http/inputs.ts";
import { activitySchema } from "../answers.ts";
import { bearer, json, problems } from "../openapi.ts";

const security = bearer;

const mine = createRoute({
  method: "get",
  path: "/v1/me/activity",
  tags: ["My settings"],
  summary: "What happened to your login and devices, newest first",
  security,
  request: { query: eventFilterQuery.extend(pageQuery.shape) },
  responses: {
    200: json(activitySchema, "A page of events"),
    ...problems({ session: true }, "invalid_request"),
  },
});

const ofAccount = createRoute({
  method: "get",
  path: "/v1/account/activity",
  tags: ["Account"],
  summary: "What happened in your account, newest first",
  security,
  request: { query: accountEventFilterQuery.extend(pageQuery.shape) },
  responses: {
    200: json(activitySchema, "A page of events"),
    ...problems({ session: true, role: true }, "invalid_request"),
  },
});

const exported = createRoute({
  method: "get",
  path: "/v1/account/activity/export",
  tags: ["Account"],
  summary: "Every event of your account as NDJSON, oldest first",
  description:
    "One event per line, as in a page of events, up to the newest one at the start. It breaks off if the session " +
    "ends. If the response breaks off, ask again with " +
    "`from` set to the time of its last event, and skip the events whose `id` you have already.",
  security,
  request: { query: accountEventFilterQuery },
  responses: {
    200: {
      description: "Every event that matches the filter",
      content: {
        "application/x-ndjson": {
          schema: z.string().openapi({ description: "Lines, each an `Event` as JSON" }),
        },
      },
    },
    ...problems({ session: true, role: true }, "invalid_request", "too_many_requests"),
  },
});

/** Routes of the audit trail: the caller's own, and that of an administrator's account. */
export function activityRoutes(app: OpenAPIHono, deps: CoreDeps) {
  app.openapi(mine, async (c) => {
    const { userId } = await authenticate(c, deps);
    const { before, limit, ...filter } = c.req.valid("query");
    return c.json(
      await listAudit(deps, { ...filterOf(filter), before, limit, userId }, "user"),
      200,
    );
  });

  app.openapi(ofAccount, async (c) => {
    const session = await authenticate(c, deps);
    const { accountId } = await requireRole(deps, session, "administrator");
    const { before, limit, ...filter } = c.req.valid("query");
    return c.json(
      await listAudit(deps, { ...filterOf(filter), before, limit, accountId }, "account"),
      200,
    );
  });

  app.openapi(exported, async (c) => {
    const session = await authenticate(c, deps);
    await requireRole(deps, session, "administrator");
    const file = await exportActivity(deps, session, filterOf(c.req.valid("query")));
    // Hono's typed responses are JSON or text only.
    return c.body(file, 200, NDJSON) as never;
  });
}

/** The filter of a request's query. */
function filterOf({
  type: types,
  user: userId,
  actor: actorId,
  ...time
}: z.output<typeof accountEventFilterQuery>) {
  return { types, actorId, ...time, ...(userId && { userId }) };
}
