import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { WorkflowIdReusePolicy } from "@temporalio/common";
import type { AuditEvent } from "../store/postgres/schema.ts";
import type { FollowUp } from "./follow-ups.ts";

/** How long a start may take: the events' rows are held meanwhile. */
const PATIENCE_MS = 2_500;

/** What starts the workflows that events begin, each once for as long as its history is kept. */
export function starting(client: Client, taskQueue: string) {
  return async (
    { type, workflowId, args, summary, state }: FollowUp,
    { userId, accountId }: AuditEvent,
  ): Promise<void> => {
    const options = {
      taskQueue,
      workflowId,
      args: [args],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: summary,
      searchAttributes: {
        ...(userId && { MfaUserId: [userId] }),
        MfaAccountId: [accountId],
        ...(state && { MfaState: [state] }),
      },
    };
    try {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const late = new Promise<never>((_, reject) => {
        patience.addEventListener("abort", () => reject(patience.reason));
      });
      const started = client.withAbortSignal(patience, () => client.workflow.start(type, options));
      // The abort ends one try; the client's others are left to themselves, and may still succeed.
      await Promise.race([started, late]);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };
}
