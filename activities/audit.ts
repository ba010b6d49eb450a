import { activityInfo } from "@temporalio/activity";
import type { Clock } from "../config.ts";
import type { Origin } from "../machines/methods.ts";
import type { NewEvent } from "../store/postgres/events.ts";

type Subject = { userId: string; accountId: string; origin?: Origin };

/** The audit event of a workflow's fact: one a workflow and type, however often the activity runs. */
export function eventOf(
  clock: Clock,
  type: string,
  { userId, accountId, origin }: Subject,
  detail: Record<string, unknown> = {},
): NewEvent {
  const { workflowExecution } = activityInfo();
  if (!workflowExecution) throw new TypeError("An audit event is recorded from a workflow only");
  const { workflowId } = workflowExecution;
  return {
    key: `${workflowId}/${type}`,
    at: new Date(clock.now()),
    type,
    accountId,
    userId,
    actorId: userId,
    ip: origin?.ip,
    userAgent: origin?.userAgent,
    workflowId,
    detail,
  };
}
