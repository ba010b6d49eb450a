export { deviceRemoval } from "./device-removal.ts";
export { loginChallenge } from "./login-challenge.ts";
export { notice } from "./notice.ts";
export { otpEnrollment } from "./otp-enrollment.ts";
export { policyRollout } from "./policy-rollout.ts";
export { smsEnrollment } from "./sms-enrollment.ts";
export { webhookDelivery } from "./webhook-delivery.ts";
