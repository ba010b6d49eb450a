import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { CoreDeps } from "../../../core/deps.ts";
import { changeDefaultMethod } from "../../../core/devices/default-method.ts";
import { getMultiFactor } from "../../../core/devices/devices.ts";
import { makeRecoveryCodes, recoveryCodesFile } from "../../../core/devices/recovery-codes.ts";
import { emailOf } from "../../../core/users/email.ts";
import { getMfaProfile } from "../../../store/postgres/profiles.ts";
import { keyRequiredFrom, requiredFrom, requirementOf } from "../../../store/requirement.ts";
import { authenticate } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { emailSchema, methodSchema, quantitySchema } from "../../http/inputs.ts";
import { preferredType } from "../../http/media-types.ts";
import { multiFactorSchema } from "../answers.ts";
import { bearer, json, jsonBody, post, problems } from "../openapi.ts";

const tags = ["My settings"];
const security = bearer;

const mine = createRoute({
  method: "get",
  path: "/v1/me/multi-factor",
  tags,
  summary: "Your devices and settings",
  security,
  responses: {
    200: json(
      multiFactorSchema.extend({
        multiFactorRequiredFrom: z.iso.datetime().nullable().openapi({
          description: "The end of your account's grace period, while one runs",
        }),
        keyRequired: z.boolean().openapi({
          description: "You must log in with a security key or passkey",
        }),
        keyRequiredFrom: z.iso.datetime().nullable().openapi({
          description: "The end of the grace period of such a requirement, while one runs",
        }),
        email: emailSchema
          .nullable()
          .openapi({ description: "Where we send your security notifications" }),
      }),
      "All about your second factor",
    ),
    ...problems({ session: true }),
  },
});

const defaultMethod = createRoute({
  method: "put",
  path: "/v1/me/multi-factor/default-method",
  tags,
  summary: "Choose the method that logins ask for first",
  security,
  request: jsonBody(z.object({ method: methodSchema })),
  responses: {
    200: json(multiFactorSchema, "All about your second factor"),
    ...problems(
      { session: true, body: true },
      "method_not_configured",
      "too_many_requests",
      "reauthentication_required",
    ),
  },
});

const newCodesSchema = z.object({ quantity: quantitySchema.default(10) });

const recoveryCodes = createRoute({
  method: "post",
  path: "/v1/me/recovery-codes",
  tags,
  summary: "Generate new recovery codes; this cancels the old ones",
  security,
  request: post(newCodesSchema),
  responses: {
    201: {
      description: "The codes, shown only once; as a file to save with `Accept: text/plain`",
      content: {
        "application/json": {
          schema: z.object({ codes: z.array(z.string()), createdAt: z.iso.datetime() }),
        },
        "text/plain": { schema: z.string() },
      },
    },
    ...problems(
      { session: true, body: true, post: true },
      "multi_factor_off",
      "too_many_requests",
      "reauthentication_required",
    ),
  },
});

/** Routes of the caller's own settings and recovery codes. */
export function settingsRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const origin = (c: Context) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);

  app.openapi(mine, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    const [multiFactor, profile, email] = await Promise.all([
      getMultiFactor(deps, session),
      getMfaProfile(deps.db, session.userId),
      emailOf(deps, session.userId),
    ]);
    const from = profile && requiredFrom(requirementOf(profile, deps.config), deps.clock.now());
    const keyFrom = profile && keyRequiredFrom(profile);
    const isAhead = keyFrom !== undefined && keyFrom > deps.clock.now();
    const starts = {
      multiFactorRequiredFrom: from ?? null,
      keyRequired: keyFrom !== undefined && !isAhead,
      keyRequiredFrom: isAhead ? new Date(keyFrom).toISOString() : null,
    };
    return c.json({ ...multiFactor, ...starts, email }, 200);
  });

  app.openapi(defaultMethod, async (c) => {
    const session = await authenticate(c, deps);
    const { method } = c.req.valid("json");
    await changeDefaultMethod(deps, session, method, origin(c));
    return c.json(await getMultiFactor(deps, session), 200);
  });

  app.openapi(recoveryCodes, async (c) => {
    const session = await authenticate(c, deps);
    // A call without a body is not parsed, so its default is filled in here.
    const { quantity } = newCodesSchema.parse(c.req.valid("json"));
    const type = preferredType(c, ["application/json", "text/plain"]);
    const made = await makeRecoveryCodes(deps, session, quantity, origin(c));
    if (type === "application/json")
      return c.json({ codes: made.codes, createdAt: made.createdAt.toISOString() }, 201);
    c.header("content-disposition", 'attachment; filename="recovery-codes.txt"');
    return c.text(recoveryCodesFile(deps.config.SERVICE_NAME, made), 201);
  });
}
