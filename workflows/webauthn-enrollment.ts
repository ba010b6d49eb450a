import { webauthnEnrollmentMachine } from "../machines/webauthn-enrollment.ts";
import { finishingEffects } from "./finish-enrollment.ts";
import { host } from "./host.ts";
import type { WebauthnEnrollmentArgs } from "./messages.ts";
import type { EnrollmentView } from "./view-types.ts";
import { provenOnceView } from "./views.ts";

/** Registers a security key or passkey: from its options to its first credential, or its removal. */
export async function webauthnEnrollment(args: WebauthnEnrollmentArgs): Promise<EnrollmentView> {
  return host(webauthnEnrollmentMachine, args, {
    name: "webauthnEnrollment",
    view: provenOnceView,
    effects: finishingEffects(args),
  });
}
