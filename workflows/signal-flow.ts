import { getExternalWorkflowHandle } from "@temporalio/workflow";

/** Signals another flow; one that has ended already needs to hear nothing. */
export async function tell(workflowId: string, signal: string, payload: object): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal(signal, payload)
    .catch(() => {});
}
