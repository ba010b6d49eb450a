import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { authenticate } from "../authenticate.ts";
import type { Deps } from "../deps.ts";
import { getMultiFactor } from "../devices.ts";
import { originOf } from "../origin.ts";
import { bearer, json, post, problems } from "../route.ts";
import { codeSchema, deviceSchema, idParam, multiFactorSchema } from "../schemas.ts";
import { registerSmsDevice, resendPin, verifyPin } from "../sms-devices.ts";

const tags = ["My devices"];

const mine = createRoute({
  method: "get",
  path: "/v1/me/multi-factor",
  tags,
  summary: "Your devices and settings",
  security: bearer,
  responses: {
    200: json(multiFactorSchema, "All about your second factor"),
    ...problems({ session: true }),
  },
});

const addSms = createRoute({
  method: "post",
  path: "/v1/me/devices/sms",
  tags,
  summary: "Register a phone; it is sent a PIN",
  security: bearer,
  request: post(
    z.object({
      countryCode: z.string().openapi({ description: "ISO 3166-1 alpha-2", example: "US" }),
      phoneNumber: z.string().min(1).max(40).openapi({ example: "512-555-0100" }),
    }),
  ),
  responses: {
    201: json(deviceSchema, "The device, to be verified by the PIN"),
    ...problems(
      { session: true, body: true, post: true },
      "invalid_phone_number",
      "sms_device_exists",
      "send_limit",
      "reauthentication_required",
    ),
  },
});

const pin = createRoute({
  method: "post",
  path: "/v1/me/devices/{id}/pin",
  tags,
  summary: "Send a new PIN to an unverified phone; the older one is void",
  security: bearer,
  request: { params: idParam, ...post() },
  responses: {
    202: json(deviceSchema, "The device"),
    ...problems(
      { session: true, post: true },
      "device_not_found",
      "device_verified_already",
      "illegal_transition",
      "send_limit",
    ),
  },
});

const verify = createRoute({
  method: "post",
  path: "/v1/me/devices/{id}/verify",
  tags,
  summary: "Prove a device by its code; you are logged out and log in again with it",
  security: bearer,
  request: {
    params: idParam,
    ...post(z.object({ code: codeSchema, makeDefault: z.boolean().default(true) })),
  },
  responses: {
    200: json(z.object({ device: deviceSchema, signedOut: z.boolean() }), "The verified device"),
    ...problems(
      { session: true, body: true, post: true },
      "device_not_found",
      "device_verified_already",
      "illegal_transition",
      "pin_rejected",
      "pin_expired",
    ),
  },
});

/** One's own devices. */
export function deviceRoutes(app: OpenAPIHono, deps: Deps) {
  const proxies = deps.config.TRUSTED_PROXIES;

  app.openapi(mine, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    return c.json(await getMultiFactor(deps, session), 200);
  });
  app.openapi(addSms, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    const phone = c.req.valid("json");
    return c.json(await registerSmsDevice(deps, session, phone, originOf(c, proxies)), 201);
  });
  app.openapi(pin, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    return c.json(await resendPin(deps, session, c.req.valid("param").id), 202);
  });
  app.openapi(verify, async (c) => {
    const session = await authenticate(c, deps, { setup: true });
    const { id } = c.req.valid("param");
    const verified = await verifyPin(deps, session, id, c.req.valid("json"), originOf(c, proxies));
    return c.json(verified, 200);
  });
}
