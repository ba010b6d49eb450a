import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import type { Signal } from "../providers/sms/reports.ts";

/** Signals flows for providers that report to the worker; one that has ended needs to hear nothing. */
export function signalling(client: Client): Signal {
  return async (workflowId, name, payload) => {
    try {
      await client.workflow.getHandle(workflowId).signal(name, payload);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };
}
