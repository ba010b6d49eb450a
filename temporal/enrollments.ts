import { workflowIds } from "../workflows/ids.ts";
import type { OtpEnrollmentArgs, SmsEnrollmentArgs } from "../workflows/messages.ts";
import { firstOtpEnrollmentView, firstSmsEnrollmentView } from "../workflows/views.ts";
import type { Begun } from "./start.ts";

/** How the pairing of a phone starts, and its first view. */
export function smsEnrollment(args: SmsEnrollmentArgs) {
  const view = firstSmsEnrollmentView(args);
  const begun: Begun<"smsEnrollment"> = {
    type: "smsEnrollment",
    workflowId: workflowIds.enrollment("sms", args.deviceId),
    args,
    summary: "pairing of a phone",
    method: "sms",
    state: view.state,
  };
  return { begun, view };
}

/** How the pairing of an authenticator app starts, and its first view. */
export function otpEnrollment(args: OtpEnrollmentArgs) {
  const view = firstOtpEnrollmentView(args);
  const begun: Begun<"otpEnrollment"> = {
    type: "otpEnrollment",
    workflowId: workflowIds.enrollment("otp", args.deviceId),
    args,
    summary: "pairing of an authenticator app",
    method: "otp",
    state: view.state,
  };
  return { begun, view };
}
