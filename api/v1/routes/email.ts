import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { changeOwnEmail } from "../../../core/users/email.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { emailSchema } from "../../http/inputs.ts";
import { bearer, json, jsonBody, problems } from "../openapi.ts";

const change = createRoute({
  method: "put",
  path: "/v1/me/email",
  tags: ["My settings"],
  summary: "Choose where we send security notifications; null for nowhere",
  description: "Your old address is told about the change too.",
  security: bearer,
  request: jsonBody(z.object({ email: emailSchema.nullable() })),
  responses: {
    200: json(z.object({ email: emailSchema.nullable() }), "The address"),
    ...problems({ session: true, body: true }, "reauthentication_required", "send_limit"),
  },
});

/** Route of the address for a user's security notifications. */
export function emailRoutes(app: OpenAPIHono, deps: CoreDeps) {
  app.openapi(change, async (c) => {
    const session = await authenticate(c, deps);
    const { email } = c.req.valid("json");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const { email: address } = await changeOwnEmail(deps, session, email, origin);
    return c.json({ email: address }, 200);
  });
}
