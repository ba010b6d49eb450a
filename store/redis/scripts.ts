import { budgetScripts } from "./budgets.ts";
import { idempotencyScripts } from "./idempotency.ts";
import { attemptScripts } from "./second-step/attempts.ts";
import { challengeScripts } from "./second-step/challenges.ts";
import { enrollmentRequestScripts } from "./second-step/enrollment-requests.ts";
import { failureScripts } from "./second-step/failures.ts";
import { otpStepScripts } from "./second-step/otp-steps.ts";
import { pinScripts } from "./second-step/pins.ts";
import { failedLoginScripts } from "./sessions/failed-logins.ts";
import { knownAddressScripts } from "./sessions/known-addresses.ts";
import { revocationScripts } from "./sessions/revocations.ts";
import { sessionScripts } from "./sessions/sessions.ts";

/** Every script of the service, by the name under which the client knows it. */
export const scripts = {
  ...attemptScripts,
  ...budgetScripts,
  ...challengeScripts,
  ...enrollmentRequestScripts,
  ...failedLoginScripts,
  ...failureScripts,
  ...idempotencyScripts,
  ...knownAddressScripts,
  ...otpStepScripts,
  ...pinScripts,
  ...revocationScripts,
  ...sessionScripts,
};
