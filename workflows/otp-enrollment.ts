import { otpEnrollmentMachine } from "../machines/otp-enrollment.ts";
import { finishingEffects } from "./finish-enrollment.ts";
import { host } from "./host.ts";
import type { OtpEnrollmentArgs } from "./messages.ts";
import type { EnrollmentView } from "./view-types.ts";
import { provenOnceView } from "./views.ts";

/** Pairs an authenticator app: from its registration to its first code, or its removal. */
export async function otpEnrollment(args: OtpEnrollmentArgs): Promise<EnrollmentView> {
  return host(otpEnrollmentMachine, args, {
    name: "otpEnrollment",
    view: provenOnceView,
    effects: finishingEffects(args),
  });
}
