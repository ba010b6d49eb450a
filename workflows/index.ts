export { deviceRemoval } from "./device-removal.ts";
export { loginChallenge } from "./login-challenge.ts";
export { notice } from "./notice.ts";
export { otpEnrollment } from "./otp-enrollment.ts";
export { policyRollout } from "./policy-rollout.ts";
export { smsEnrollment } from "./sms-enrollment.ts";
export { webhookDelivery } from "./webhook-delivery.ts";

// The SDK notes a stack for each promise: with V8's ten frames that is a tenth of a login's task. A
// failure's innermost four say where it was thrown and by whose call.
Error.stackTraceLimit = 4;
