import type { Report } from "../providers/sms/reports.ts";
import type { WorkflowId } from "../workflows/ids.ts";
import type { Calls } from "./calls.ts";

/**
 * Tells the flow that sent a message what became of it. Redis stores the flow's ID as plain text.
 */
export const reporting =
  (signal: Calls["signal"]): Report =>
  (workflowId, report) =>
    signal(workflowId as WorkflowId<"loginChallenge" | "smsEnrollment">, "reportDelivery", report);
