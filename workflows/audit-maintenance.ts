import { ActivityFailure, isCancellation } from "@temporalio/workflow";
import { keeping } from "./activities.ts";
import { end } from "./end.ts";
import type { AuditMaintenanceResult } from "./messages.ts";

/**
 * Once a day: makes the events' partitions ahead, and drops those whose time is over, oldest first.
 * It needs no machine: only its own steps move it. If a step fails, it gives up until the next day,
 * so that evidence stays and somebody can look.
 */
export async function auditMaintenance(): Promise<AuditMaintenanceResult> {
  const due = await keeping.keepEvents().catch(givenUp);
  if (!due) return end("given_up");
  for (const name of due) {
    const dropped = await keeping.dropEvents(name).then(() => true, givenUp);
    if (!dropped) return end("given_up");
  }
  return end(due.length > 0 ? "dropped" : "nothing_due");
}

function givenUp(error: unknown): false {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return false;
}
