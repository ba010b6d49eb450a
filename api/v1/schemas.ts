import "../../plain-faults.ts";
import { z } from "@hono/zod-openapi";
import { LONGEST_PASSWORD, TOO_LONG } from "../../core/users/password-rule.ts";
import { readAddress } from "../../store/addresses.ts";
import { faultOfUsername, LONGEST_TYPED_USERNAME } from "../../store/usernames.ts";

/** The shapes that several routes answer or take. */

/** An id of ours. */
export const ID = /^[0-9a-f]{32}$/;

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: "Stable; never changes", example: "invalid_request" }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    supportContact: z.string().optional().openapi({
      description: "With `account_locked`: a link or words, where SUPPORT_CONTACT is set",
    }),
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

const deliverySchema = z.enum(["sent", "delivered"]).nullable().openapi({
  description: "How the newest message stands; null until a provider took it, and without one",
});

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
    delivery: deliverySchema,
    problem: z.string().nullable().openapi({
      description:
        "Why the passcode was not delivered; `too_many_requests` where that ended the challenge",
    }),
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

export const requirementSchema = z.enum(["optional", "required"]).openapi("Requirement");

export const policySchema = z
  .object({
    requirement: requirementSchema,
    enforceAfter: z.iso.datetime().nullable().openapi({ description: "End of the grace period" }),
    state: z.enum(["optional", "grace_period", "enforcing", "enforced", "completed"]),
    users: z.object({
      total: z.int(),
      configured: z.int(),
      toGo: z.int().openapi({ description: "Users without a verified device" }),
    }),
    startedBy: z.object({ id: z.string(), username: z.string() }).nullable(),
    startedAt: z.iso.datetime().nullable(),
    youMustSetUp: z.boolean().openapi({
      description: "You have no verified device, so a requirement applies to you too",
    }),
  })
  .openapi("Policy");

export const accountUserSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    role: z.enum(["member", "administrator", "support"]),
    multiFactor: z.object({ enabled: z.boolean(), methods: z.array(methodSchema) }),
    locked: z.boolean(),
    lastLoginAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("AccountUser");

export const otpSetupSchema = z
  .object({
    device: deviceSchema,
    secret: z.string().openapi({ description: "Base32, to type where there is no camera" }),
    otpauthUri: z.string(),
    qrCode: z.string().openapi({ description: "data:image/png;base64 of the URI's QR code" }),
  })
  .openapi("OtpSetup");

/** The pattern as JSON Schema writes it: Unicode is understood, and flags are not part of it. */
const patternOf = ({ source: pattern }: RegExp) => ({ pattern });

const NICKNAME = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u;

/** A nickname: emoji are fine; what cannot be seen is not. */
export const nicknameSchema = z
  .string()
  .trim()
  .min(1, "Give the device a name.")
  .max(64, "A name can have at most 64 characters.")
  .regex(NICKNAME, "A name cannot have control characters.")
  .openapi({ ...patternOf(NICKNAME), example: "My phone" });

/** How many recovery codes a set may have. */
const QUANTITY = "Choose from 1 to 10 codes.";
export const quantitySchema = z.int(QUANTITY).min(1, QUANTITY).max(10, QUANTITY);

/** A password as typed, no longer than is hashed. */
export const passwordSchema = z
  .string()
  .min(1, "Enter the password.")
  .max(LONGEST_PASSWORD, TOO_LONG);

/** A user name and a password, both as typed. */
export const credentialsSchema = z
  .object({
    username: z
      .string()
      .min(1, "Enter the user name.")
      .max(
        LONGEST_TYPED_USERNAME,
        `A user name can have at most ${LONGEST_TYPED_USERNAME} characters.`,
      )
      .openapi({ example: "alice" }),
    password: passwordSchema,
  })
  .openapi("Credentials");

const USERNAME = /^[^\s\p{C}/:\\]*$/u;

/** The name of a new user: by PRECIS (RFC 8265), and no address of the web. */
export const usernameSchema = z
  .string()
  .trim()
  .min(1, { error: "Enter a user name.", abort: true })
  .max(LONGEST_TYPED_USERNAME, {
    error: "A user name can have at most 64 characters.",
    abort: true,
  })
  .superRefine((typed, { addIssue }) => {
    const message = faultOfUsername(typed);
    if (message) addIssue({ code: "custom", message });
  })
  .openapi({ ...patternOf(USERNAME), example: "carol" });

/** An email address as people write it: by HTML's rule, and with an international domain. */
export const emailSchema = z
  .string()
  .max(254, { error: "An address can have at most 254 characters.", abort: true })
  .refine(
    (typed) => readAddress(typed) !== undefined,
    "Enter an email address, such as alice@example.com.",
  )
  .openapi({ format: "idn-email", example: "alice@example.com" });

const REASON = /^([^\p{Cc}\p{Cs}]|[\t\r\n])*$/u;

/** Why Support did something, as the audit keeps it. */
export const reasonSchema = z
  .string()
  .trim()
  .min(3, "Enter a reason (at least 3 characters).")
  .max(500, "A reason can have at most 500 characters.")
  .regex(REASON, "A reason cannot have control characters.")
  .openapi({ ...patternOf(REASON), example: "Lost the phone; identity checked by video call" });

/** A passcode, PIN or recovery code as typed: never longer than a recovery code with its separators. */
export const codeSchema = z
  .string()
  .trim()
  .min(1, "Enter the code.")
  .max(64, "A code can have at most 64 characters.");

export const idParam = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });
