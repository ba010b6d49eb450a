import { createHash } from "node:crypto";

/**
 * A short name of an event, made from its key: 132 bits of its SHA-256, as 22 letters of base64url.
 * Numbers of events come again after PostgreSQL was restored to an earlier point; these names do not.
 */
export function eventRef(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 22);
}

/**
 * Whether the event is the one that a flow was started for. Flows of older versions carry no name;
 * for them the number has to do.
 */
export function isMeant(event: { key: string }, ref: string | undefined): boolean {
  return ref === undefined || eventRef(event.key) === ref;
}
