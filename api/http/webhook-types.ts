import { z } from "@hono/zod-openapi";
import { EVENT_TYPES } from "../../store/events/event-types.ts";
import "../../plain-faults.ts";

/** The event types that a webhook can subscribe to. */
export const webhookTypesSchema = z
  .array(z.enum(EVENT_TYPES, "There is no such type of event."))
  .min(1, "Name at least one event type, or leave this out for all events.")
  .max(50, "Name at most 50 event types, or leave this out for all events.");
