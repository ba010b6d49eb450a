import type { Method } from "../machines/methods.ts";
import type { WorkflowName } from "./messages.ts";

/** The task queue of all workflows, and of the activities that people wait for. */
export const TASK_QUEUE = "second-step";

/** The task queue of calls to webhooks. */
export const WEBHOOKS_QUEUE = "second-step-webhooks";

/** The task queue of mails. */
export const MAIL_QUEUE = "second-step-mail";

/** The worker deployment whose builds replace each other, if workers have a build ID. */
export const DEPLOYMENT = "second-step";

/** The schedule of the audit trail's upkeep, and how the IDs of its workflows begin. */
export const AUDIT_SCHEDULE = "audit-maintenance";

declare const named: unique symbol;

/** The ID of a workflow of that type. */
export type WorkflowId<W extends WorkflowName> = string & { readonly [named]: W };

const idOf = <W extends WorkflowName>(text: string) => text as WorkflowId<W>;

/** All workflow IDs are made here, from opaque IDs, because operators see them everywhere. */
export const workflowIds = {
  loginChallenge: (challengeId: string) => idOf<"loginChallenge">(`login-challenge/${challengeId}`),
  enrollment: <M extends Method>(type: M, deviceId: string) =>
    idOf<`${M}Enrollment`>(`${type}-enrollment/${deviceId}`),
  policyRollout: (accountId: string, version: number) =>
    idOf<"policyRollout">(`policy-rollout/${accountId}/${version}`),
  deviceRemoval: (removalId: string) => idOf<"deviceRemoval">(`device-removal/${removalId}`),
  /** `ref` is the name that `eventRef` makes of the event's key. */
  notice: (ref: string, to: "current" | "former") => idOf<"notice">(`notice/${ref}/${to}`),
  webhookDelivery: (webhookId: string, ref: string) =>
    idOf<"webhookDelivery">(`webhook-delivery/${webhookId}/${ref}`),
} as const;
