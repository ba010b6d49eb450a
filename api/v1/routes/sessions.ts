import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { Problem } from "../../../core/problem.ts";
import {
  describeSession,
  endOtherSessions,
  endOwnSession,
  endSession,
  liveSessions,
} from "../../../core/sessions/sessions.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { bearer, idParam, json, post, problems } from "../openapi.ts";

const tags = ["Sessions"];

const sessionView = z
  .object({
    id: z.string(),
    scope: z.enum(["full", "mfa_setup"]),
    amr: z.array(z.string()),
    authenticatedAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    current: z.boolean().openapi({ description: "Whether this is the session of the request" }),
  })
  .openapi("SessionView");

const current = createRoute({
  method: "get",
  path: "/v1/session",
  tags,
  summary: "The session of the token, and its user",
  security: bearer,
  responses: {
    200: json(
      sessionView.extend({
        user: z.object({
          id: z.string(),
          username: z.string(),
          role: z.enum(["member", "administrator", "support"]),
          accountId: z.string(),
        }),
      }),
      "The session",
    ),
    ...problems({ session: true }),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/sessions",
  tags,
  summary: "Your live sessions",
  security: bearer,
  responses: {
    200: json(z.object({ sessions: z.array(sessionView) }), "The sessions"),
    ...problems({ session: true }),
  },
});

const end = createRoute({
  method: "delete",
  path: "/v1/sessions/{id}",
  tags,
  summary: "End one of your sessions",
  description: "Another one than that of this request needs a recent login.",
  security: bearer,
  request: { params: idParam },
  responses: {
    204: { description: "It has ended" },
    ...problems({ session: true }, "session_not_found", "reauthentication_required"),
  },
});

const endOthers = createRoute({
  method: "delete",
  path: "/v1/sessions",
  tags,
  summary: "End all your other sessions",
  description:
    "Ends every session except the one of this request, and every login in progress. Needs a recent login.",
  security: bearer,
  responses: {
    200: json(
      z.object({
        ended: z.int().openapi({ description: "How many sessions ended; 0 if you ask again" }),
      }),
      "The sessions have ended",
    ),
    ...problems({ session: true }, "reauthentication_required"),
  },
});

const logout = createRoute({
  method: "post",
  path: "/v1/logout",
  tags,
  summary: "End the session of the token",
  security: bearer,
  request: post(),
  responses: {
    204: { description: "Logged out" },
    ...problems({ session: true, post: true }),
  },
});

/** Routes of the caller's own sessions. */
export function sessionRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const { config } = deps;

  app.openapi(current, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    const { userId: id, username, role, accountId } = session;
    const view = describeSession(session, session.id);
    return c.json({ ...view, user: { id, username, role, accountId } }, 200);
  });

  app.openapi(list, async (c) => {
    const session = await authenticate(c, deps);
    const sessions = await liveSessions(deps, session);
    return c.json({ sessions: sessions.map((one) => describeSession(one, session.id)) }, 200);
  });

  app.openapi(end, async (c) => {
    const session = await authenticate(c, deps);
    const { id } = c.req.valid("param");
    const origin = clientInfoOf(c, config.TRUSTED_PROXIES);
    const ended = await endOwnSession(deps, session, id, origin);
    if (!ended) throw new Problem("session_not_found", "It may have ended already.");
    return c.body(null, 204);
  });

  app.openapi(endOthers, async (c) => {
    const session = await authenticate(c, deps);
    const origin = clientInfoOf(c, config.TRUSTED_PROXIES);
    return c.json({ ended: await endOtherSessions(deps, session, origin) }, 200);
  });

  app.openapi(logout, async (c) => {
    await endSession(deps, await authenticate(c, deps, { setup: true }), "signed_out");
    return c.body(null, 204);
  });
}
