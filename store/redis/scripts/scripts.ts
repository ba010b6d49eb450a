import { attemptScripts } from "./attempts.ts";
import { budgetScripts } from "./budgets.ts";
import { challengeScripts } from "./challenges.ts";
import { enrollmentRequestScripts } from "./enrollment-requests.ts";
import { failedLoginScripts } from "./failed-logins.ts";
import { failureScripts } from "./failures.ts";
import { idempotencyScripts } from "./idempotency.ts";
import { knownAddressScripts } from "./known-addresses.ts";
import { otpStepScripts } from "./otp-steps.ts";
import { pinScripts } from "./pins.ts";
import { revocationScripts } from "./revocations.ts";
import { sessionScripts } from "./sessions.ts";

/** Every script of the service, by its name in the client. */
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
