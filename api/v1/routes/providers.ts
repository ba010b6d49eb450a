import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { CoreDeps } from "../../../core/deps.ts";
import { Problem } from "../../../core/problem.ts";
import { passReport } from "../../../providers/sms/reports.ts";
import { isFromTwilio, readTwilioStatus } from "../../../providers/sms/twilio-status.ts";
import { bodyType } from "../../http/media-types.ts";
import { problems } from "../openapi.ts";

const FORM = "application/x-www-form-urlencoded";

const formOnly: MiddlewareHandler = (c, next) => {
  if (bodyType(c) !== FORM) throw new Problem("unsupported_media_type", `The body must be ${FORM}`);
  return next();
};

const twilioStatus = createRoute({
  method: "post",
  middleware: formOnly,
  path: "/v1/providers/twilio/{reference}",
  tags: ["Providers"],
  summary: "Twilio reports what became of a message",
  description:
    "Signed by Twilio in `X-Twilio-Signature`. The answer is the same whether or not the message " +
    "is known.",
  request: {
    params: z.object({
      reference: z.string().openapi({ param: { name: "reference", in: "path" } }),
    }),
    body: {
      content: {
        [FORM]: {
          schema: z.object({ MessageStatus: z.string(), ErrorCode: z.string() }).partial().loose(),
        },
      },
    },
  },
  responses: {
    204: { description: "The report was passed on, or nothing waits for it" },
    ...problems({ body: true }, "signature_rejected"),
  },
});

/**
 * Callbacks of SMS providers. Not for clients: they take forms, and signatures authenticate them.
 */
export function providerRoutes(app: OpenAPIHono, { config, redis, flows }: CoreDeps) {
  app.openapi(twilioStatus, async (c) => {
    const { reference } = c.req.valid("param");
    const form = await c.req.parseBody({ all: true });
    const signature = c.req.header("x-twilio-signature") ?? "";
    if (!isFromTwilio(config, { reference, signature, form }))
      throw new Problem("signature_rejected");
    const report = readTwilioStatus(reference, form);
    if (report) await passReport({ redis, report: flows.reportDelivery }, report);
    return c.body(null, 204);
  });
}
