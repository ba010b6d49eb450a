import { createRoute, type Hook, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Actor } from "../../../core/actors.ts";
import type { CoreDeps } from "../../../core/deps.ts";
import { requireRecentLogin } from "../../../core/sessions/recent-login.ts";
import { requireRole } from "../../../core/sessions/roles.ts";
import {
  findUsers,
  recordLookUp,
  resetMultiFactor,
  unlock,
  userOf,
} from "../../../core/support/support.ts";
import { describeFoundUser, viewForSupport } from "../../../core/support/user-overview.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { reasonSchema } from "../../http/inputs.ts";
import { invalidFields } from "../../http/problems.ts";
import { activitySchema, multiFactorSchema } from "../answers.ts";
import { bearer, idParam, json, post, problems } from "../openapi.ts";

const tags = ["Support"];
const security = bearer;

const supportUser = z
  .object({
    id: z.string(),
    username: z.string(),
    email: z.string().nullable(),
    role: z.enum(["member", "administrator", "support"]),
    accountId: z.string(),
    lockedAt: z.iso.datetime().nullable(),
    lastLoginAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("SupportUser");

const foundUser = supportUser
  .pick({ id: true, username: true, lockedAt: true })
  .openapi("FoundUser");

const openFlow = z
  .object({
    type: z.enum(["login_challenge", "sms_enrollment", "otp_enrollment", "webauthn_enrollment"]),
    state: z.string().openapi({ example: "awaiting_passcode" }),
    problem: z.string().nullable(),
    deviceId: z.string().nullable(),
    expiresAt: z.iso.datetime().nullable(),
    next: z.array(z.string()).openapi({ description: "What the user may do" }),
  })
  .openapi("OpenFlow");

const changed = z.object({
  changed: z.boolean().openapi({ description: "False where there was nothing to do" }),
});

const search = createRoute({
  method: "get",
  path: "/v1/support/users",
  tags,
  summary: "Find users by the start of their name, or by ID",
  security,
  request: {
    query: z.object({
      query: z.string().trim().min(1).max(128).openapi({ example: "ali" }),
    }),
  },
  responses: {
    200: json(z.object({ users: z.array(foundUser) }), "At most twenty, by user name"),
    ...problems({ session: true, role: true }, "invalid_request"),
  },
});

const look = createRoute({
  method: "get",
  path: "/v1/support/users/{id}",
  tags,
  summary: "A user's state, devices (masked), open flows and recent events",
  description: "The lookup is written to the user's audit trail, with the reason if you give one.",
  security,
  request: { params: idParam, query: z.object({ reason: reasonSchema.optional() }) },
  responses: {
    200: json(
      z.object({
        user: supportUser.extend({ accountName: z.string() }),
        multiFactor: multiFactorSchema,
        attemptsRemaining: z.int(),
        attemptsGivenBack: z.int().openapi({
          description:
            "Given back in the last 24 hours because the service was unavailable; at most ten",
        }),
        flows: z.array(openFlow),
        events: activitySchema.shape.events,
      }),
      "What Support needs to help the user",
    ),
    ...problems({ session: true, role: true }, "invalid_request", "user_not_found"),
  },
});

const actions = { params: idParam, ...post(z.object({ reason: reasonSchema })) };
const action = { session: true, role: true, body: true, post: true };

const unlockRoute = createRoute({
  method: "post",
  path: "/v1/support/users/{id}/unlock",
  tags,
  summary: "Unlock a user",
  security,
  request: actions,
  responses: {
    200: json(changed, "The user is not locked; `changed` is false if there was no lock"),
    ...problems(action, "user_not_found", "not_yourself"),
  },
});

const reset = createRoute({
  method: "post",
  path: "/v1/support/users/{id}/reset-multi-factor",
  tags,
  summary: "Remove all of a user's devices and recovery codes and end all of their sessions",
  security,
  request: actions,
  responses: {
    200: json(changed, "Done; `changed` is false if there was no device. Sessions end either way"),
    ...problems(action, "user_not_found", "not_yourself"),
  },
});

type Acting = { Variables: { actor: Actor } };

/**
 * Routes of the role `support`, for users of any account. Support cannot set up anything for them.
 */
export function supportRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const support = new OpenAPIHono<Acting>({
    defaultHook: invalidFields as Hook<unknown, Acting, string, unknown>,
  });

  // Checked before the request's fields, and on every route under this path, future ones too.
  support.use("/v1/support/*", async (c, next) => {
    const session = await authenticate(c, deps);
    await requireRole(deps, session, "support");
    await requireRecentLogin(deps, session);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    c.set("actor", { actorId: session.userId, origin, session });
    return next();
  });

  support.openapi(search, async (c) => {
    const { query } = c.req.valid("query");
    const users = await findUsers(deps, query);
    return c.json({ users: users.map(describeFoundUser) }, 200);
  });

  support.openapi(look, async (c) => {
    const user = await userOf(deps, c.req.valid("param").id);
    await recordLookUp(deps, user, c.var.actor, c.req.valid("query").reason);
    return c.json(await viewForSupport(deps, user), 200);
  });

  support.openapi(unlockRoute, async (c) => {
    const user = await userOf(deps, c.req.valid("param").id);
    return c.json(await unlock(deps, user, c.var.actor, c.req.valid("json").reason), 200);
  });

  support.openapi(reset, async (c) => {
    const user = await userOf(deps, c.req.valid("param").id);
    return c.json(await resetMultiFactor(deps, user, c.var.actor, c.req.valid("json").reason), 200);
  });

  app.route("/", support);
}
