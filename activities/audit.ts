import { activityInfo } from "@temporalio/activity";
import type { Clock } from "../config.ts";
import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/event-types.ts";
import type { NewEvent } from "../store/postgres/events.ts";

/** Whom an event is about; unless `actorId` says otherwise it is they who did it. */
type Subject = { userId: string; accountId: string; actorId?: string; origin?: ClientInfo };

/** The audit event of a workflow's fact: one a workflow and type, however often the activity runs. */
export function eventOf(
  clock: Clock,
  type: EventType,
  { userId, accountId, actorId = userId, origin }: Subject,
  detail: Record<string, unknown> = {},
): NewEvent {
  const workflowId = currentWorkflowId();
  return {
    key: `${workflowId}/${type}`,
    at: new Date(clock.now()),
    type,
    accountId,
    userId,
    actorId,
    ip: origin?.ip,
    userAgent: origin?.userAgent,
    workflowId,
    detail,
  };
}

/** The workflow that asked for the activity; what it did is told and done once under its id. */
export function currentWorkflowId(): string {
  const { workflowExecution } = activityInfo();
  if (!workflowExecution) throw new TypeError("Activities run for workflows only");
  return workflowExecution.workflowId;
}
