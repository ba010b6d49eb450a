import { activityInfo } from "@temporalio/activity";
import type { Clock } from "../config.ts";
import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import type { NewEvent } from "../store/postgres/events/events.ts";

/** The user an event is about. They are its actor too, unless `actorId` names another. */
type Subject = { userId: string; accountId: string; actorId?: string; origin?: ClientInfo };

/**
 * The audit event of something a workflow did: one per workflow and type, even if the activity runs
 * again.
 */
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

/**
 * The ID of the workflow that runs the activity. It makes the activity's effects and events unique.
 */
export function currentWorkflowId(): string {
  const { workflowExecution } = activityInfo();
  if (!workflowExecution) throw new TypeError("The activity was not started by a workflow");
  return workflowExecution.workflowId;
}
