import { createHash } from "node:crypto";
import type { AuditEvent } from "../postgres/schema.ts";

/** What the first link of each chain follows. */
export const NO_LINK = "0".repeat(64);

/**
 * The hash of an event's link: SHA-256, in hexadecimal, of the hash before it and of the event as
 * canonical JSON (RFC 8785). Nobody can change the event, or a link before it, and keep this hash.
 */
export function linkHash(previous: string, event: AuditEvent): string {
  const { id, key, at, accountId, userId, actorId, type, ip, userAgent } = event;
  const { workflowId, detail } = event;
  const who = { accountId, userId, actorId, ip, userAgent };
  const fact = { id, key, at: at.toISOString(), type, workflowId, detail, ...who };
  return createHash("sha256").update(previous, "hex").update(canonical(fact)).digest("hex");
}

/** RFC 8785: members sorted by their names' UTF-16 units; JavaScript's own numbers and strings. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${canonical(of)}`).join(",")}}`;
}
