import type { Report } from "../providers/sms/reports.ts";
import type { WorkflowId } from "../workflows/ids.ts";
import type { Calls } from "./calls.ts";

/** What tells the flow that sent a message how it fared; Redis keeps the flow's id as a text. */
export const reporting =
  (signal: Calls["signal"]): Report =>
  (workflowId, report) =>
    signal(workflowId as WorkflowId<"loginChallenge" | "smsEnrollment">, "reportDelivery", report);
