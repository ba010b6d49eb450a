import { eventRef } from "../store/events/event-refs.ts";
import { recipientsOf } from "../store/notices.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { workflowIds } from "../workflows/ids.ts";
import type { FollowUp } from "./start.ts";

/**
 * The notices for an event: one workflow for each address, because each address may be refused on
 * its own.
 */
export function noticesOf(event: AuditEvent): FollowUp[] {
  const { id: eventId, userId, accountId, type } = event;
  const ref = eventRef(event.key);
  return recipientsOf(event).map((to) => ({
    type: "notice",
    workflowId: workflowIds.notice(ref, to),
    args: { userId, accountId, eventId, ref, to },
    summary: `email notice of ${type}`,
    state: "sending",
  }));
}
