import { recipientsOf } from "../store/notices.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { workflowIds } from "../workflows/ids.ts";
import type { FollowUp } from "./start.ts";

/** The notices that an event begins: one to each address, since each may be refused by itself. */
export function noticesOf(event: AuditEvent): FollowUp[] {
  const { id: eventId, userId, accountId, type } = event;
  return recipientsOf(event).map((to) => ({
    type: "notice",
    workflowId: workflowIds.notice(eventId, to),
    args: { userId, accountId, eventId, to },
    summary: `notice of ${type} by e-mail`,
    state: "sending",
  }));
}
