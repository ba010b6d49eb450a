import type { WorkflowId } from "../workflows/ids.ts";
import type { WorkflowName, Workflows } from "../workflows/messages.ts";
import type { Calls } from "./calls.ts";

type Begun<W extends WorkflowName> = {
  type: W;
  workflowId: WorkflowId<W>;
  args: Workflows[W]["input"];
  /** What operators read in its line. */
  summary: string;
  /** What it begins with, as `MfaState`. */
  state: string;
};

/** A workflow that an event begins; its id, made from the event's, keeps it from beginning twice. */
export type FollowUp = Begun<"notice"> | Begun<"webhookDelivery">;

/** What starts the workflows that events begin, each once for as long as its history is kept. */
export function starting({ start }: Calls) {
  return async ({ type, workflowId, args, summary, state }: FollowUp): Promise<void> => {
    await start(type, workflowId, args, { summary, state, once: true });
  };
}
