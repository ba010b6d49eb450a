import "../../plain-faults.ts";
import { z } from "@hono/zod-openapi";
import { LONGEST_PASSWORD, TOO_LONG } from "../../core/users/password-rule.ts";
import { readAddress } from "../../store/addresses.ts";
import { OPERATOR_ID } from "../../store/ids.ts";
import { faultOfUsername, LONGEST_TYPED_USERNAME } from "../../store/usernames.ts";

/** Request fields that the APIs and the portal share. */

const ID = /^[0-9a-f]{32}$/;

export const methodSchema = z.enum(["sms", "otp", "webauthn"]).openapi("Method");

/** What an account requires of its users. */
export const requirementSchema = z
  .enum(["optional", "required", "phishing_resistant"])
  .openapi("Requirement");

/** What an administrator requires of one user. */
export const userRequirementSchema = z.enum(["optional", "required"]).openapi("UserRequirement");

/** The pattern for JSON Schema, which assumes Unicode and has no flags. */
const patternOf = ({ source: pattern }: RegExp) => ({ pattern });

const NICKNAME = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u;

/** A nickname. Emoji are allowed; control characters and direction overrides are not. */
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

/** Query of a page of numbered items, highest number first: the items numbered below `before`. */
export const pageQuery = z.object({
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** Names of event types. */
export const eventTypesSchema = z
  .array(
    z
      .string()
      .regex(/^[a-z_]{1,64}$/, "An event type has lower-case letters and underscores only."),
  )
  .min(1)
  .max(50);

const FIRST = new Date("1970-01-01T00:00:00Z");
const LAST = new Date("9998-12-31T00:00:00Z");

/** Whether the database can compare the time: it reads no year 0, and none of five digits. */
export function isUsual(at: Date): boolean {
  return at >= FIRST && at < LAST;
}

const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: "Give a date, or a date and time with an offset.",
  })
  .transform((text) => new Date(text))
  .refine(isUsual, "Give a year from 1970 to 9998.")
  .openapi({ type: "string", example: "2026-01-31" });

/** Filter of a user's own events. */
export const eventFilterQuery = z.object({
  type: z
    .string()
    .transform((text) => text.split(","))
    .pipe(eventTypesSchema)
    .optional()
    .openapi({
      type: "string",
      pattern: "^[a-z_]{1,64}(,[a-z_]{1,64}){0,49}$",
      description: "One or more, separated by commas",
    }),
  from: instant.optional(),
  to: instant.optional().openapi({ description: "The end of the time range, exclusive" }),
});

/** Filter of an account's events. */
export const accountEventFilterQuery = eventFilterQuery.extend({
  user: z
    .string()
    .regex(ID, "Give a user's ID.")
    .optional()
    .openapi({ description: "The user whom the events are about" }),
  actor: z
    .string()
    .regex(/^[0-9a-z_]{1,64}$/, `Give a user's ID, or ${OPERATOR_ID}.`)
    .optional()
    .openapi({ description: `The user who caused the events, or ${OPERATOR_ID}` }),
});

/** A password as typed. One that is too long is refused before it is hashed. */
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

/** The name of a new user: by PRECIS (RFC 8265), and nothing that looks like a web address. */
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

/** An email address by the rule of HTML's email field; its domain may be international. */
export const emailSchema = z
  .string()
  .max(254, { error: "An address can have at most 254 characters.", abort: true })
  .refine(
    (typed) => readAddress(typed) !== undefined,
    "Enter an email address, such as alice@example.com.",
  )
  .openapi({ format: "idn-email", example: "alice@example.com" });

const REASON = /^([^\p{Cc}\p{Cs}]|[\t\r\n])*$/u;

/** Support's reason for an action, for the audit trail. */
export const reasonSchema = z
  .string()
  .trim()
  .min(3, "Enter a reason (at least 3 characters).")
  .max(500, "A reason can have at most 500 characters.")
  .regex(REASON, "A reason cannot have control characters.")
  .openapi({ ...patternOf(REASON), example: "Lost the phone; identity checked by video call" });

/** A passcode, PIN or recovery code as typed; 64 characters leave room for separators. */
export const codeSchema = z
  .string()
  .trim()
  .min(1, "Enter the code.")
  .max(64, "A code can have at most 64 characters.");
