import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { changeOwnPassword } from "../../../core/users/password.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { passwordSchema } from "../../http/inputs.ts";
import { bearer, jsonBody, problems } from "../openapi.ts";

const change = createRoute({
  method: "put",
  path: "/v1/me/password",
  tags: ["My settings"],
  summary: "Change your password; this ends all your sessions, including this one",
  security: bearer,
  request: jsonBody(
    z.object({
      currentPassword: passwordSchema,
      password: passwordSchema.openapi({
        description: "At least 8 characters; the service may ask for more",
      }),
    }),
  ),
  responses: {
    204: { description: "Changed. Log in with the new password" },
    ...problems(
      { session: true, body: true },
      "reauthentication_required",
      "login_throttled",
      "logins_under_way",
      "too_many_requests",
    ),
  },
});

/** Route of the caller's own password. */
export function passwordRoutes(app: OpenAPIHono, deps: CoreDeps) {
  app.openapi(change, async (c) => {
    const session = await authenticate(c, deps);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    await changeOwnPassword(deps, session, c.req.valid("json"), origin);
    return c.body(null, 204);
  });
}
