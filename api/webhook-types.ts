import { z } from "@hono/zod-openapi";
import { EVENT_TYPES } from "../store/event-types.ts";
import "./plain-faults.ts";

const KNOWN_TYPES = `Use these types of event: ${EVENT_TYPES.join(", ")}.`;

/** The types of event that a webhook is sent: those that can come. */
export const webhookTypesSchema = z
  .array(z.enum(EVENT_TYPES, KNOWN_TYPES))
  .min(1, "Name one type of event at least, or none for all.")
  .max(50, "Name 50 types of event at most, or none for all.");
