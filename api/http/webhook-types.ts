import { z } from "@hono/zod-openapi";
import { EVENT_TYPES } from "../../store/event-types.ts";
import "../../plain-faults.ts";

/** The types of event that a webhook is sent: those that can come. */
export const webhookTypesSchema = z
  .array(z.enum(EVENT_TYPES, "There is no such type of event."))
  .min(1, "Name one type of event at least, or none for all.")
  .max(50, "Name 50 types of event at most, or none for all.");
