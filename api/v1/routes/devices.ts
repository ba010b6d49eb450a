import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { CoreDeps } from "../../../core/deps.ts";
import { type UnverifiedOf, unverifiedDevice } from "../../../core/devices/devices.ts";
import { giveDeviceName } from "../../../core/devices/named-devices.ts";
import { registerOtpDevice, restartOtpDevice, verifyOtpCode } from "../../../core/devices/otp.ts";
import { removeAllDevices, removeDevice } from "../../../core/devices/removal.ts";
import { registerSmsDevice, resendPin, verifyPin } from "../../../core/devices/sms.ts";
import { registerKey, restartKey, verifyKeyCredential } from "../../../core/devices/webauthn.ts";
import { Problem } from "../../../core/problem.ts";
import { openedSession } from "../../../core/sessions/sessions.ts";
import { authenticate, bearerToken } from "../../http/authenticate.ts";
import { clientInfoOf } from "../../http/client.ts";
import { registrationResponseSchema } from "../../http/credentials.ts";
import { codeSchema, nicknameSchema } from "../../http/inputs.ts";
import { deviceSchema, keySetupSchema, otpSetupSchema, sessionSchema } from "../answers.ts";
import { bearer, idParam, json, jsonBody, post, problems } from "../openapi.ts";

const tags = ["My devices"];
const security = bearer;

const addSms = createRoute({
  method: "post",
  path: "/v1/me/devices/sms",
  tags,
  summary: "Register a phone and send it a PIN",
  security,
  request: post(
    z.object({
      countryCode: z.string().openapi({ description: "ISO 3166-1 alpha-2", example: "US" }),
      phoneNumber: z.string().min(1).max(40).openapi({ example: "512-555-0100" }),
    }),
  ),
  responses: {
    201: json(deviceSchema, "The device; verify it with the PIN"),
    ...problems(
      { session: true, body: true, post: true },
      "invalid_phone_number",
      "sms_device_exists",
      "send_limit",
      "too_many_requests",
      "reauthentication_required",
      "key_required",
    ),
  },
});

const addOtp = createRoute({
  method: "post",
  path: "/v1/me/devices/otp",
  tags,
  summary: "Register an authenticator app; its secret is shown only once",
  security,
  request: post(z.object({ name: nicknameSchema })),
  responses: {
    201: json(otpSetupSchema, "What the app needs; verify the device with a code from the app"),
    ...problems(
      { session: true, body: true, post: true },
      "too_many_devices",
      "too_many_requests",
      "reauthentication_required",
      "key_required",
    ),
  },
});

const addKey = createRoute({
  method: "post",
  path: "/v1/me/devices/webauthn",
  tags,
  summary: "Register a security key or passkey; the registration ends after ten minutes",
  security,
  request: post(z.object({ name: nicknameSchema })),
  responses: {
    201: json(
      keySetupSchema,
      "`options` for `navigator.credentials.create()`; verify the device with what it answers",
    ),
    ...problems(
      { session: true, body: true, post: true },
      "too_many_devices",
      "too_many_requests",
      "reauthentication_required",
      "webauthn_unavailable",
    ),
  },
});

const rename = createRoute({
  method: "patch",
  path: "/v1/me/devices/{id}",
  tags,
  summary: "Give a device another name",
  security,
  request: { params: idParam, ...jsonBody(z.object({ name: nicknameSchema })) },
  responses: {
    200: json(deviceSchema, "The device"),
    ...problems(
      { session: true, body: true },
      "device_not_found",
      "too_many_requests",
      "reauthentication_required",
      "key_required",
    ),
  },
});

const restart = createRoute({
  method: "post",
  path: "/v1/me/devices/{id}/restart",
  tags,
  summary: "Start the set-up of an unverified app or security key again",
  security,
  request: { params: idParam, ...post() },
  responses: {
    200: json(
      otpSetupSchema.or(keySetupSchema),
      "What the app needs, with a new secret, or new options for the key; the older ones stop working",
    ),
    ...problems(
      { session: true, post: true },
      "device_not_found",
      "device_verified_already",
      "enrollment_ended",
      "illegal_transition",
      "too_many_requests",
      "reauthentication_required",
      "key_required",
      "webauthn_unavailable",
    ),
  },
});

const pin = createRoute({
  method: "post",
  path: "/v1/me/devices/{id}/pin",
  tags,
  summary: "Send a new PIN to an unverified phone; this cancels the older one",
  security,
  request: { params: idParam, ...post() },
  responses: {
    202: json(deviceSchema, "The device"),
    ...problems(
      { session: true, post: true },
      "device_not_found",
      "device_verified_already",
      "enrollment_ended",
      "illegal_transition",
      "reauthentication_required",
      "key_required",
      "pin_expired",
      "send_limit",
    ),
  },
});

const makeDefault = z.boolean().default(true);
const proofSchema = z.union([
  z.object({ code: codeSchema, makeDefault }),
  z.object({ credential: registrationResponseSchema, makeDefault }),
]);

const verify = createRoute({
  method: "post",
  path: "/v1/me/devices/{id}/verify",
  tags,
  summary: "Verify a device with its code, or a security key with its credential",
  description:
    "You are logged out everywhere and log in again with the device. But if you verify an app " +
    "or a security key in a full session and do not make it the default, you stay logged in, and the session " +
    "gains the factor.",
  security,
  request: {
    params: idParam,
    ...post(proofSchema),
  },
  responses: {
    200: json(
      z.object({
        device: deviceSchema,
        signedOut: z.boolean(),
        session: sessionSchema.optional(),
      }),
      "The verified device",
    ),
    ...problems(
      { session: true, body: true, post: true },
      "device_not_found",
      "device_verified_already",
      "enrollment_ended",
      "illegal_transition",
      "pin_rejected",
      "pin_replaced",
      "passcode_already_used",
      "pin_expired",
      "reauthentication_required",
      "key_required",
      "credential_rejected",
      "credential_registered",
      "webauthn_options_used",
      "webauthn_unavailable",
    ),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/me/devices/{id}",
  tags,
  summary: "Remove a device; a verified phone only goes with all devices",
  security,
  request: { params: idParam },
  responses: {
    204: {
      description: "Removed; with the last verified device multi-factor authentication is off",
    },
    ...problems(
      { session: true },
      "device_not_found",
      "remove_all_required",
      "reauthentication_required",
      "key_required",
    ),
  },
});

const removeAll = createRoute({
  method: "delete",
  path: "/v1/me/devices",
  tags,
  summary:
    "Remove all devices: turns multi-factor authentication off and cancels the recovery codes",
  security,
  responses: {
    204: { description: "All devices are removed" },
    ...problems(
      { session: true },
      "too_many_requests",
      "reauthentication_required",
      "key_required",
    ),
  },
});

/**
 * Routes of the caller's own devices. A set-up session may call them all: set-up consists of them.
 */
export function deviceRoutes(app: OpenAPIHono, deps: CoreDeps) {
  const origin = (c: Context) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const sessionOf = (c: Context) => authenticate(c, deps, { setup: true });

  app.openapi(addSms, async (c) => {
    const session = await sessionOf(c);
    return c.json(await registerSmsDevice(deps, session, c.req.valid("json"), origin(c)), 201);
  });

  app.openapi(addOtp, async (c) => {
    const session = await sessionOf(c);
    return c.json(await registerOtpDevice(deps, session, c.req.valid("json").name, origin(c)), 201);
  });

  app.openapi(addKey, async (c) => {
    const session = await sessionOf(c);
    return c.json(await registerKey(deps, session, c.req.valid("json").name, origin(c)), 201);
  });

  app.openapi(restart, async (c) => {
    const { id } = c.req.valid("param");
    const device = await unverifiedDevice(deps, await sessionOf(c), id);
    if (device.type === "sms")
      throw new Problem("illegal_transition", "A phone has no secret. Request a new PIN.");
    const restarted = await (device.type === "otp"
      ? restartOtpDevice(deps, device, origin(c))
      : restartKey(deps, device, origin(c)));
    return c.json(restarted, 200);
  });

  app.openapi(pin, async (c) => {
    const { id } = c.req.valid("param");
    const device = await unverifiedDevice(deps, await sessionOf(c), id);
    if (device.type !== "sms")
      throw new Problem("illegal_transition", "Only a phone gets a PIN by SMS.");
    return c.json(await resendPin(deps, device, origin(c)), 202);
  });

  app.openapi(verify, async (c) => {
    const session = await sessionOf(c);
    const device = await unverifiedDevice(deps, session, c.req.valid("param").id);
    const proof = c.req.valid("json");
    if (device.type === "sms") {
      if (!("code" in proof)) throw missing("code");
      return c.json(await verifyPin(deps, device, proof, origin(c)), 200);
    }
    const verified = await verifyNamed(deps, device, proof, origin(c));
    const token = bearerToken(c);
    const stronger = verified.session && openedSession({ token, session: verified.session });
    return c.json({ ...verified, session: stronger }, 200);
  });

  app.openapi(rename, async (c) => {
    const { id } = c.req.valid("param");
    const { name } = c.req.valid("json");
    return c.json(await giveDeviceName(deps, await sessionOf(c), id, name, origin(c)), 200);
  });

  app.openapi(remove, async (c) => {
    await removeDevice(deps, await sessionOf(c), c.req.valid("param").id, origin(c));
    return c.body(null, 204);
  });

  app.openapi(removeAll, async (c) => {
    await removeAllDevices(deps, await sessionOf(c), origin(c));
    return c.body(null, 204);
  });
}

/** Verifies an app by its code, or a key by its credential. Throws `invalid_request` for the other. */
function verifyNamed(
  deps: CoreDeps,
  device: UnverifiedOf<"otp"> | UnverifiedOf<"webauthn">,
  proof: z.infer<typeof proofSchema>,
  origin: ReturnType<typeof clientInfoOf>,
) {
  if (device.type === "otp") {
    if (!("code" in proof)) throw missing("code");
    return verifyOtpCode(deps, device, proof, origin);
  }
  if (!("credential" in proof)) throw missing("credential");
  return verifyKeyCredential(deps, device, proof, origin);
}

/** The refusal of a body without what this kind of device is verified with. */
function missing(path: string): Problem {
  const message = `Send the ${path} of this device.`;
  return new Problem("invalid_request", message, { errors: [{ path, message }] });
}
