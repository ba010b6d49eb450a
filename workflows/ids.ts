import type { Method } from "../machines/methods.ts";

/** The one task queue of this service's workers. */
export const TASK_QUEUE = "second-step";

/** Workflow ids, made here alone, from opaque ids: an operator may read them anywhere. */
export const workflowIds = {
  loginChallenge: (challengeId: string) => `login-challenge/${challengeId}`,
  enrollment: (type: Method, deviceId: string) => `${type}-enrollment/${deviceId}`,
  policyRollout: (accountId: string, version: number) => `policy-rollout/${accountId}/${version}`,
  deviceRemoval: (removalId: string) => `device-removal/${removalId}`,
} as const;
