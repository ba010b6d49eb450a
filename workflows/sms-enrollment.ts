import { smsEnrollmentMachine } from "../machines/sms-enrollment.ts";
import { delivering } from "./activities.ts";
import { delivery } from "./delivery-outcome.ts";
import { finishingEffects } from "./finish-enrollment.ts";
import { host } from "./host.ts";
import type { SmsEnrollmentArgs } from "./messages.ts";
import type { EnrollmentView } from "./view-types.ts";
import { smsEnrollmentView } from "./views.ts";

/** Pairs a phone: from its registration to the forced re-login, or its removal. */
export async function smsEnrollment(args: SmsEnrollmentArgs): Promise<EnrollmentView> {
  const { userId, deviceId } = args;
  return host(smsEnrollmentMachine, args, {
    name: "smsEnrollment",
    view: smsEnrollmentView,
    effects: {
      ...finishingEffects(args),
      sendPin: ({ context: { sendings: sending } }) =>
        delivery("PIN_SENT", delivering.sendPin({ userId, deviceId, sending })),
    },
  });
}
