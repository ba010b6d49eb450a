import type { EventType } from "../../store/event-types.ts";

/** A type of event that this version of the service does not know: nothing follows from it. */
export const otherType = (type: string) => type as EventType;
