import {
  type Connection,
  ScheduleAlreadyRunning,
  ScheduleClient,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import { AUDIT_SCHEDULE, TASK_QUEUE } from "../workflows/ids.ts";

/** Has Temporal start the upkeep of the audit trail every night (UTC). Safe to repeat. */
export async function ensureAuditSchedule(
  connection: Connection,
  namespace: string,
): Promise<void> {
  const schedules = new ScheduleClient({ connection, namespace });
  try {
    await schedules.create({
      scheduleId: AUDIT_SCHEDULE,
      spec: { calendars: [{ hour: 3, minute: 17 }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1 day" },
      action: {
        type: "startWorkflow",
        workflowType: "auditMaintenance",
        workflowId: AUDIT_SCHEDULE,
        taskQueue: TASK_QUEUE,
        staticSummary: "keep the audit trail's partitions",
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
