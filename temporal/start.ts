import type { Method } from "../machines/methods.ts";
import type { WorkflowId } from "../workflows/ids.ts";
import type { WorkflowName, Workflows } from "../workflows/messages.ts";
import type { Calls } from "./calls.ts";

/** What a workflow starts with. */
export type Begun<W extends WorkflowName> = {
  type: W;
  workflowId: WorkflowId<W>;
  args: Workflows[W]["input"];
  /** What operators see in the workflow list. */
  summary: string;
  /** The first value of `MfaState`. */
  state: string;
  method?: Method;
};

/** A workflow that an event starts. Its ID is made from the event's key, so it starts only once. */
export type FollowUp = Begun<"notice"> | Begun<"webhookDelivery">;

/** What a worker starts that may have been started before. */
export type StartedOnce =
  | FollowUp
  | Begun<"smsEnrollment">
  | Begun<"otpEnrollment">
  | Begun<"webauthnEnrollment">;

/** Starts workflows, each only once as long as its history is kept. */
export function starting({ start }: Calls) {
  return async ({ type, workflowId, args, ...shown }: StartedOnce): Promise<void> => {
    await start(type, workflowId, args, { ...shown, once: true });
  };
}
