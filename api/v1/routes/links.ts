import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { linkCloudAccount, listLinks, refuseLinkedPolicy } from "../../../core/account/links.ts";
import type { CoreDeps } from "../../../core/deps.ts";
import { requireRole } from "../../../core/sessions/roles.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { credentialsSchema } from "../../http/inputs.ts";
import { bearer, idParam, json, post, problems } from "../openapi.ts";

const tags = ["Linked accounts"];
const security = bearer;

const linkSchema = z
  .object({ accountId: z.string(), name: z.string(), kind: z.enum(["panel", "cloud"]) })
  .openapi("Link");

const list = createRoute({
  method: "get",
  path: "/v1/account/links",
  tags,
  summary: "The Cloud accounts linked to yours",
  security,
  responses: {
    200: json(z.object({ links: z.array(linkSchema) }), "The first linked first"),
    ...problems({ session: true, role: true }),
  },
});

const add = createRoute({
  method: "post",
  path: "/v1/account/links",
  tags,
  summary: "Link an existing Cloud account by the user name and password of its administrator",
  description:
    "A Cloud account is not linked if it requires multi-factor authentication, or one of its " +
    "administrators uses it: otherwise a password alone would be enough to link it. The user " +
    "whose password was entered is told of every attempt with the right password.",
  security,
  request: post(credentialsSchema),
  responses: {
    201: json(linkSchema, "The linked account"),
    ...problems(
      { session: true, role: true, body: true, post: true },
      "invalid_credentials",
      "account_locked",
      "login_throttled",
      "logins_under_way",
      "too_many_requests",
      "cannot_link_itself",
      "not_a_cloud_account",
      "not_cloud_administrator",
      "linked_account_has_mfa",
      "linked_already",
    ),
  },
});

/** Both methods always refuse; the problem says why. */
const policyOf = {
  path: "/v1/account/links/{id}/multi-factor-policy",
  tags,
  summary: "Always refused: a linked account's multi-factor authentication is not configured here",
  description: "The users of a Cloud account log in as themselves to configure their own.",
  security,
  request: { params: idParam },
  responses: {
    204: { description: "Not used yet: every linked account is a Cloud account" },
    ...problems({ session: true, role: true }, "link_not_found", "cloud_account_own_login"),
  },
} as const;
const getPolicy = createRoute({ method: "get", ...policyOf });
const putPolicy = createRoute({ method: "put", ...policyOf });

/** Routes that link Cloud accounts, for administrators. */
export function linkRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const administrator = async (c: Context) =>
    requireRole(deps, await authenticate(c, deps), "administrator");

  app.openapi(list, async (c) => {
    const { accountId } = await administrator(c);
    return c.json({ links: await listLinks(deps, accountId) }, 200);
  });

  app.openapi(add, async (c) => {
    const session = await authenticate(c, deps);
    await requireRole(deps, session, "administrator");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    return c.json(await linkCloudAccount(deps, session, c.req.valid("json"), origin), 201);
  });

  app.openapi(getPolicy, async (c) => {
    const { accountId } = await administrator(c);
    return refuseLinkedPolicy(deps, accountId, c.req.valid("param").id);
  });

  app.openapi(putPolicy, async (c) => {
    const { accountId } = await administrator(c);
    return refuseLinkedPolicy(deps, accountId, c.req.valid("param").id);
  });
}
