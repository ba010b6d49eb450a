import type { Method } from "../machines/methods.ts";
import { workflowIds } from "../workflows/ids.ts";
import type {
  OtpEnrollmentArgs,
  SmsEnrollmentArgs,
  WebauthnEnrollmentArgs,
  Workflows,
} from "../workflows/messages.ts";
import type { EnrollmentView } from "../workflows/view-types.ts";
import {
  firstOtpEnrollmentView,
  firstSmsEnrollmentView,
  firstWebauthnEnrollmentView,
} from "../workflows/views.ts";
import type { Begun } from "./start.ts";

type Named<M extends Method> = `${M}Enrollment`;

/** What an enrollment starts with, and its first view. */
export type Enrollment<M extends Method = Method> = {
  begun: Begun<Named<M>>;
  view: EnrollmentView;
};

/** How the pairing of a phone starts. */
export const smsEnrollment = (args: SmsEnrollmentArgs) =>
  enrollment("sms", args, "pairing of a phone", firstSmsEnrollmentView(args));

/** How the pairing of an authenticator app starts. */
export const otpEnrollment = (args: OtpEnrollmentArgs) =>
  enrollment("otp", args, "pairing of an authenticator app", firstOtpEnrollmentView(args));

/** How the registration of a security key starts. */
export const webauthnEnrollment = (args: WebauthnEnrollmentArgs) =>
  enrollment("webauthn", args, "registration of a security key", firstWebauthnEnrollmentView(args));

function enrollment<M extends Method>(
  method: M,
  args: Workflows[Named<M>]["input"],
  summary: string,
  view: EnrollmentView,
): Enrollment<M> {
  const type: Named<M> = `${method}Enrollment`;
  const workflowId = workflowIds.enrollment(method, args.deviceId);
  return { begun: { type, workflowId, args, summary, method, state: view.state }, view };
}
