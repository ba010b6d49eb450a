import { getExternalWorkflowHandle } from "@temporalio/workflow";
import type { WorkflowId } from "./ids.ts";
import type { SignalName, SignalPayload, WorkflowName } from "./messages.ts";

/** Signals another flow. Ignored if that flow has ended. */
export async function signalFlow<W extends WorkflowName, S extends SignalName<W>>(
  workflowId: WorkflowId<W>,
  signal: S,
  payload: SignalPayload<W, S>,
): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .signal<[SignalPayload<W, S>]>(signal, payload)
    .catch(() => {});
}
