import { z } from "@hono/zod-openapi";

/** The shapes that several routes answer or take. */

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: "Stable; never changes", example: "invalid_request" }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem", { description: "RFC 9457 problem details" });

export const methodSchema = z.enum(["sms", "otp"]).openapi("Method");

export const sessionSchema = z
  .object({
    token: z.string().openapi({ description: "Send as Authorization: Bearer; shown once" }),
    id: z.string(),
    scope: z.enum(["full", "mfa_setup"]),
    amr: z.array(z.string()).openapi({ example: ["pwd", "sms", "mfa"] }),
    expiresAt: z.iso.datetime(),
  })
  .openapi("Session");

export const challengeSchema = z
  .object({
    id: z.string(),
    state: z.enum([
      "sending_passcode",
      "awaiting_passcode",
      "delivery_failed",
      "authenticated",
      "expired",
      "locked",
      "withdrawn",
    ]),
    method: methodSchema,
    methods: z.array(methodSchema),
    deliveredTo: z.string().nullable().openapi({ example: "+•••••••0100" }),
    problem: z.string().nullable().openapi({ description: "Why the passcode was not delivered" }),
    expiresAt: z.iso.datetime(),
    attemptsRemaining: z.int().openapi({ description: "Until the lock, the locking one included" }),
    next: z.array(z.enum(["verify", "resend", "method"])),
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
    state: z.enum([
      "sending_pin",
      "awaiting_pin",
      "pin_expired",
      "pin_void",
      "delivery_failed",
      "awaiting_code",
      "verifying",
      "removing",
      "dropping",
      "verified",
      "removed",
      "dropped",
    ]),
    problem: z.string().nullable(),
    triesRemaining: z.int().nullable(),
    next: z.array(z.enum(["verify", "pin", "restart", "remove"])),
  })
  .openapi("Device");

export const multiFactorSchema = z
  .object({
    enabled: z.boolean(),
    required: z.boolean(),
    defaultMethod: methodSchema.nullable(),
    devices: z.array(deviceSchema),
    recoveryCodes: z.object({ remaining: z.int() }),
    locked: z.boolean(),
  })
  .openapi("MultiFactor");

/** A passcode, PIN or recovery code as typed: never longer than a recovery code with its separators. */
export const codeSchema = z.string().trim().min(1).max(64);

export const idParam = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });
