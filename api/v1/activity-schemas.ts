import { z } from "@hono/zod-openapi";
import { OPERATOR_ID } from "../../store/ids.ts";
import { ID } from "./schemas.ts";

export const eventSchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    type: z.string().openapi({ example: "device_verified" }),
    accountId: z.string(),
    userId: z.string().nullable().openapi({ description: "Whom it is about" }),
    actorId: z.string().nullable().openapi({ description: "Who did it; null: the service" }),
    ip: z.string().nullable().openapi({
      description: "From where the actor did it; null where that is not yours to know",
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

/** A page of what is numbered, the highest numbers first. */
export const pageQuery = z.object({
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** Types of event by name. */
export const eventTypesSchema = z
  .array(
    z
      .string()
      .regex(/^[a-z_]{1,64}$/, "An event type has lower-case letters and underscores only."),
  )
  .min(1)
  .max(50);

const instant = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: "Give a date, or a date and time with an offset.",
  })
  .transform((text) => new Date(text))
  .openapi({ type: "string", example: "2026-01-31" });

/** Which events of one's own. */
export const eventFilterQuery = z.object({
  type: z
    .string()
    .transform((text) => text.split(","))
    .pipe(eventTypesSchema)
    .optional()
    .openapi({
      type: "string",
      pattern: "^[a-z_]{1,64}(,[a-z_]{1,64}){0,49}$",
      description: "One or several, with commas between them",
    }),
  from: instant.optional(),
  to: instant.optional().openapi({ description: "The end, which is not included" }),
});

/** Which events of an account. */
export const accountEventFilterQuery = eventFilterQuery.extend({
  user: z.string().regex(ID, "Give a user's ID.").optional().openapi({ description: "About whom" }),
  actor: z
    .string()
    .regex(/^[0-9a-z_]{1,64}$/, `Give a user's ID, or ${OPERATOR_ID}.`)
    .optional()
    .openapi({ description: "By whom" }),
});
