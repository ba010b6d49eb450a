/** The one task queue of this service's workers. */
export const TASK_QUEUE = "second-step";

/** Workflow ids, made here alone, from opaque ids: an operator may read them anywhere. */
export const workflowIds = {
  loginChallenge: (challengeId: string) => `login-challenge/${challengeId}`,
  smsEnrollment: (deviceId: string) => `sms-enrollment/${deviceId}`,
  otpEnrollment: (deviceId: string) => `otp-enrollment/${deviceId}`,
} as const;
