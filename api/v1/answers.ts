import { z } from "@hono/zod-openapi";
import { creationOptionsSchema, requestOptionsSchema } from "../http/credentials.ts";
import { methodSchema, requirementSchema } from "../http/inputs.ts";

/** Response schemas that several routes use. */

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: "Stable; never changes", example: "invalid_request" }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    supportContact: z.string().optional().openapi({
      description: "Only with `account_locked`, if SUPPORT_CONTACT is set: a link or a text",
    }),
  })
  .openapi("Problem", { description: "RFC 9457 problem details" });

export const sessionSchema = z
  .object({
    token: z.string().openapi({ description: "Send as Authorization: Bearer; shown once" }),
    id: z.string(),
    scope: z.enum(["full", "mfa_setup"]),
    amr: z.array(z.string()).openapi({ example: ["pwd", "sms", "mfa"] }),
    expiresAt: z.iso.datetime(),
  })
  .openapi("Session");

const deliverySchema = z.enum(["sent", "delivered"]).nullable().openapi({
  description: "Delivery of the newest message; null without one, or until a provider accepted it",
});

export const challengeSchema = z
  .object({
    id: z.string(),
    state: z.enum([
      "sending_passcode",
      "awaiting_passcode",
      "awaiting_key",
      "delivery_failed",
      "authenticated",
      "expired",
      "locked",
      "withdrawn",
    ]),
    method: methodSchema,
    methods: z.array(methodSchema),
    deliveredTo: z.string().nullable().openapi({ example: "+•••••••0100" }),
    delivery: deliverySchema,
    problem: z.string().nullable().openapi({
      description:
        "Why the passcode was not delivered, or `too_many_requests` if that ended the challenge",
    }),
    expiresAt: z.iso.datetime(),
    attemptsRemaining: z
      .int()
      .openapi({ description: "Wrong passcodes that are left; the last of them locks" }),
    takesRecoveryCode: z.boolean().openapi({
      description:
        "Whether a recovery code answers it; not if the user must use their security key",
    }),
    next: z.array(z.enum(["verify", "webauthn", "resend", "method"])),
    options: requestOptionsSchema.optional().openapi({
      description:
        "Only in a login's answer whose `method` is `webauthn`: what the browser needs, as " +
        "`POST /v1/login/challenges/{id}/webauthn` answers it again",
    }),
  })
  .openapi("Challenge");

export const deviceSchema = z
  .object({
    id: z.string(),
    type: methodSchema,
    name: z.string().nullable(),
    phoneNumber: z.string().nullable().openapi({ example: "+•••••••0100" }),
    verified: z.boolean(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().openapi({
      description: "When a login was last completed with it",
    }),
    product: z.string().nullable().openapi({
      description: "A security key's model, or where a passkey is kept; null if it is not known",
      example: "YubiKey 5 Series with NFC",
    }),
    state: z.enum([
      "sending_pin",
      "awaiting_pin",
      "pin_expired",
      "pin_void",
      "delivery_failed",
      "awaiting_code",
      "awaiting_credential",
      "verifying",
      "removing",
      "dropping",
      "verified",
      "removed",
      "dropped",
    ]),
    delivery: deliverySchema,
    problem: z.string().nullable(),
    triesRemaining: z.int().nullable(),
    next: z.array(z.enum(["verify", "pin", "restart", "remove"])),
  })
  .openapi("Device");

export const multiFactorSchema = z
  .object({
    enabled: z.boolean(),
    required: z.boolean(),
    defaultMethod: methodSchema.or(z.null()),
    devices: z.array(deviceSchema),
    recoveryCodes: z.object({ remaining: z.int() }),
    locked: z.boolean(),
  })
  .openapi("MultiFactor");

export const policySchema = z
  .object({
    requirement: requirementSchema,
    enforceAfter: z.iso.datetime().nullable().openapi({ description: "End of the grace period" }),
    state: z.enum(["optional", "grace_period", "enforcing", "enforced", "completed"]),
    users: z.object({
      total: z.int(),
      configured: z.int().openapi({
        description:
          "Users with a verified device; with a verified key, if `requirement` is `phishing_resistant`",
      }),
      toGo: z.int().openapi({ description: "The others, without those who are exempt" }),
      withoutDevice: z.int().openapi({ description: "`toGo` if `required` were required" }),
      withoutKey: z.int().openapi({
        description: "`toGo` if `phishing_resistant` were required",
      }),
    }),
    startedBy: z.object({ id: z.string(), username: z.string() }).nullable(),
    startedAt: z.iso.datetime().nullable(),
    youMustSetUp: z.boolean().openapi({
      description: "You have no verified device: `required` would log you out",
    }),
    youMustAddKey: z.boolean().openapi({
      description:
        "You have no security key or passkey: under `phishing_resistant` you would have to add one",
    }),
  })
  .openapi("Policy");

export const accountUserSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    role: z.enum(["member", "administrator", "support"]),
    multiFactor: z.object({ enabled: z.boolean(), methods: z.array(methodSchema) }),
    keys: z.int().openapi({ description: "How many verified security keys and passkeys" }),
    locked: z.boolean(),
    lastLoginAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("AccountUser");

export const otpSetupSchema = z
  .object({
    device: deviceSchema,
    secret: z.string().openapi({ description: "Base32, to type into an app without a camera" }),
    otpauthUri: z.string(),
    qrCode: z.string().openapi({ description: "data:image/png;base64 of the URI's QR code" }),
  })
  .openapi("OtpSetup");

export const keySetupSchema = z
  .object({
    device: deviceSchema,
    options: creationOptionsSchema,
    expiresAt: z.iso.datetime().openapi({ description: "The end of this registration" }),
  })
  .openapi("KeySetup");

export const eventSchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    type: z.string().openapi({ example: "device_verified" }),
    accountId: z.string(),
    userId: z.string().nullable().openapi({ description: "The user it is about" }),
    actorId: z
      .string()
      .nullable()
      .openapi({ description: "The user who did it, or `command_line`; null for the service" }),
    ip: z.string().nullable().openapi({
      description: "The actor's address; null if you may not see it",
    }),
    userAgent: z.string().nullable(),
    workflowId: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi("Event");

export const activitySchema = z
  .object({
    events: z.array(eventSchema),
    next: z.int().nullable().openapi({ description: "`before` of the next page" }),
  })
  .openapi("Activity");
