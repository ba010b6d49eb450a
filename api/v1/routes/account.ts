import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { changePasskeyLogin, getPasskeyLogin } from "../../../core/account/passkey-login.ts";
import { getPolicy, LONGEST_GRACE_DAYS } from "../../../core/account/policy.ts";
import { changePolicy } from "../../../core/account/roll-out.ts";
import { addUser, changeUserRole, listAccountUsers } from "../../../core/account/users.ts";
import type { CoreDeps } from "../../../core/deps.ts";
import { requireRole } from "../../../core/sessions/roles.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import {
  emailSchema,
  passwordSchema,
  requirementSchema,
  usernameSchema,
} from "../../http/inputs.ts";
import { accountUserSchema, policySchema } from "../answers.ts";
import { bearer, idParam, json, jsonBody, post, problems } from "../openapi.ts";

const tags = ["Account"];
const security = bearer;

const enforceAfter = z
  .union(
    [
      z.iso.datetime({ offset: true }),
      z.iso.date(),
      z.strictObject({ days: z.int().min(1).max(LONGEST_GRACE_DAYS) }),
    ],
    { error: `Give a date, or {"days": 1 to ${LONGEST_GRACE_DAYS}}; not both.` },
  )
  .nullish();

const policy = createRoute({
  method: "get",
  path: "/v1/account/multi-factor-policy",
  tags,
  summary: "Your account's multi-factor policy and the progress of its roll-out",
  security,
  responses: {
    200: json(policySchema, "The policy and the progress of its roll-out"),
    ...problems({ session: true, role: true }),
  },
});

const setPolicy = createRoute({
  method: "put",
  path: "/v1/account/multi-factor-policy",
  tags,
  summary: "Require multi-factor authentication for everyone, or make it optional",
  description:
    "Without `enforceAfter` a requirement is enforced at once: every session of the account " +
    "without a second factor ends, also yours if `youMustSetUp` is true. With it there is a " +
    "grace period. Another call can shorten or extend the grace period, or cancel it with " +
    "`optional`. `phishing_resistant` asks for a security key or passkey: every session that was " +
    "not opened by one ends, also yours, and who has none must add one. A second factor of any kind that is required " +
    "before stays required during the grace period.",
  security,
  request: jsonBody(z.strictObject({ requirement: requirementSchema, enforceAfter })),
  responses: {
    200: json(policySchema, "The policy; nothing is left to roll out"),
    202: json(policySchema, "The policy; it is being rolled out"),
    ...problems(
      { session: true, role: true, body: true },
      "policy_conflict",
      "policy_change_limit",
      "webauthn_unavailable",
    ),
  },
});

const passkeyLoginSchema = z.object({
  allowed: z.boolean().openapi({
    description: "Users may log in by a passkey alone, without their password",
  }),
});

const passkeyLogin = createRoute({
  method: "get",
  path: "/v1/account/passkey-login",
  tags,
  summary: "Whether users of your account may log in by a passkey alone",
  security,
  responses: {
    200: json(passkeyLoginSchema, "The setting"),
    ...problems({ session: true, role: true }),
  },
});

const setPasskeyLogin = createRoute({
  method: "put",
  path: "/v1/account/passkey-login",
  tags,
  summary: "Allow login by a passkey alone, or not",
  description:
    "If it is not allowed, a passkey still works as second step after the password. Sessions stay.",
  security,
  request: jsonBody(passkeyLoginSchema),
  responses: {
    200: json(passkeyLoginSchema, "The setting"),
    ...problems({ session: true, role: true, body: true }, "too_many_requests"),
  },
});

const roleSchema = z.enum(["member", "administrator"]);

const users = createRoute({
  method: "get",
  path: "/v1/account/users",
  tags,
  summary: "The users of your account by user name, each with their methods and last login",
  security,
  request: {
    query: z.object({
      after: z.string().max(128).optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      atRisk: z
        .stringbool({ truthy: ["true"], falsy: ["false"] })
        .default(false)
        .openapi({
          type: "boolean",
          description:
            "Only users who have fewer than two security keys and passkeys, and are not exempt: " +
            "where a key is required, one more loss keeps them out until Support helps",
        }),
    }),
  },
  responses: {
    200: json(
      z.object({
        users: z.array(accountUserSchema),
        next: z.string().nullable().openapi({ description: "`after` of the next page" }),
      }),
      "A page of users",
    ),
    ...problems({ session: true, role: true }, "invalid_request"),
  },
});

const newUser = createRoute({
  method: "post",
  path: "/v1/account/users",
  tags,
  summary: "Add a user to your account; users add their own devices",
  security,
  request: post(
    z.object({
      username: usernameSchema,
      password: passwordSchema.openapi({
        description: "At least 8 characters; the service may ask for more",
      }),
      role: roleSchema.default("member"),
      email: emailSchema
        .optional()
        .openapi({ description: "Where we send security notifications" }),
    }),
  ),
  responses: {
    201: json(accountUserSchema, "The user"),
    ...problems(
      { session: true, role: true, body: true, post: true },
      "username_taken",
      "too_many_requests",
    ),
  },
});

const role = createRoute({
  method: "put",
  path: "/v1/account/users/{id}/role",
  tags,
  summary: "Make a user an administrator, or a member again; their sessions end",
  security,
  request: { params: idParam, ...jsonBody(z.object({ role: roleSchema })) },
  responses: {
    200: json(accountUserSchema, "The user"),
    ...problems(
      { session: true, role: true, body: true },
      "user_not_found",
      "last_administrator",
      "too_many_requests",
    ),
  },
});

/**
 * Routes of an administrator's own account. No call names another account or changes a user's
 * devices.
 */
export function accountRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const origin = (c: Context) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const administrator = async (c: Context) => {
    const session = await authenticate(c, deps);
    await requireRole(deps, session, "administrator");
    return session;
  };

  app.openapi(policy, async (c) => c.json(await getPolicy(deps, await administrator(c)), 200));

  app.openapi(setPolicy, async (c) => {
    const session = await administrator(c);
    const changed = await changePolicy(deps, session, c.req.valid("json"), origin(c));
    const isDone = changed.state === "optional" || changed.state === "completed";
    return c.json(changed, isDone ? 200 : 202);
  });

  app.openapi(passkeyLogin, async (c) =>
    c.json(await getPasskeyLogin(deps, await administrator(c)), 200),
  );

  app.openapi(setPasskeyLogin, async (c) => {
    const session = await administrator(c);
    return c.json(await changePasskeyLogin(deps, session, c.req.valid("json"), origin(c)), 200);
  });

  app.openapi(users, async (c) => {
    const session = await administrator(c);
    return c.json(await listAccountUsers(deps, session, c.req.valid("query")), 200);
  });

  app.openapi(newUser, async (c) => {
    const session = await administrator(c);
    return c.json(await addUser(deps, session, c.req.valid("json"), origin(c)), 201);
  });

  app.openapi(role, async (c) => {
    const session = await administrator(c);
    const change = { userId: c.req.valid("param").id, role: c.req.valid("json").role };
    return c.json(await changeUserRole(deps, session, change, origin(c)), 200);
  });
}
