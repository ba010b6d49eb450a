import type { EventType } from "../../store/events/event-types.ts";

/** An event type that this version of the service does not know and does not act on. */
export const otherType = (type: string) => type as EventType;
