import type { Method } from "../machines/methods.ts";

/** The one task queue of this service's workers. */
export const TASK_QUEUE = "second-step";

/** The worker deployment whose builds take turns, where workers have a build id. */
export const DEPLOYMENT = "second-step";

/** Workflow ids, made here alone, from opaque ids: an operator may read them anywhere. */
export const workflowIds = {
  loginChallenge: (challengeId: string) => `login-challenge/${challengeId}`,
  enrollment: (type: Method, deviceId: string) => `${type}-enrollment/${deviceId}`,
  policyRollout: (accountId: string, version: number) => `policy-rollout/${accountId}/${version}`,
  deviceRemoval: (removalId: string) => `device-removal/${removalId}`,
  notice: (eventId: number, to: "current" | "former") => `notice/${eventId}/${to}`,
  webhookDelivery: (webhookId: string, eventId: number) =>
    `webhook-delivery/${webhookId}/${eventId}`,
} as const;
