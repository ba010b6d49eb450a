export { auditMaintenance } from "./audit-maintenance.ts";
export { deviceRemoval } from "./device-removal.ts";
export { loginChallenge } from "./login-challenge.ts";
export { notice } from "./notice.ts";
export { otpEnrollment } from "./otp-enrollment.ts";
export { policyRollout } from "./policy-rollout.ts";
export { smsEnrollment } from "./sms-enrollment.ts";
export { webauthnEnrollment } from "./webauthn-enrollment.ts";
export { webhookDelivery } from "./webhook-delivery.ts";

// The SDK records a stack trace for each promise. With V8's ten frames that takes a tenth of a
// login's task. The innermost four frames of a failure show where it was thrown and who called.
Error.stackTraceLimit = 4;
