/** What clients, administrators and operators see of each kind of flow. */

import type { Method } from "../machines/methods.ts";
import type { Requirement } from "../machines/policy-rollout.ts";

export type ChallengeState =
  | "sending_passcode"
  | "awaiting_passcode"
  | "awaiting_key"
  | "delivery_failed"
  | "authenticated"
  | "expired"
  | "locked"
  | "withdrawn";

export type ChallengeView = {
  state: ChallengeState;
  method: Method;
  /** Every method the user may choose for this login. */
  methods: Method[];
  failures: number;
  /** The masked phone, if passcodes are sent to one. */
  deliveredTo?: string;
  /** The state of the newest message; undefined until a provider has accepted it. */
  delivery?: "sent" | "delivered";
  problem?: string;
  next: ("verify" | "webauthn" | "resend" | "method")[];
};

export type EnrollmentState =
  | "sending_pin"
  | "awaiting_pin"
  | "pin_expired"
  | "pin_void"
  | "delivery_failed"
  | "awaiting_code"
  | "awaiting_credential"
  | "verifying"
  | "removing"
  | "dropping"
  | "verified"
  | "removed"
  | "dropped";

export type EnrollmentView = {
  state: EnrollmentState;
  /** As in a challenge; only for phones. */
  delivery?: ChallengeView["delivery"];
  problem?: string;
  triesRemaining?: number;
  next: ("verify" | "pin" | "restart" | "remove")[];
};

export type PolicyRolloutState =
  | "drafted"
  | "persisting"
  | "grace_period"
  | "enforcing"
  | "enforced"
  | "counting"
  | "optional"
  | "completed"
  | "superseded"
  | "canceled"
  | "conflicted"
  | "abandoned";

export type PolicyRolloutView = {
  state: PolicyRolloutState;
  requirement?: Requirement;
  enforceAfter?: string;
  /** Users who lack what is required, at the last count. */
  toGo?: number;
  remindedDaysBefore?: number;
  next: ("announce" | "recount" | "supersede")[];
};

export type WebhookDeliveryState = "attempting" | "waiting" | "delivered" | "failed" | "canceled";

export type WebhookDeliveryView = {
  state: WebhookDeliveryState;
  /** Including earlier sendings of the same event. */
  attempts: number;
  /** The result of the last attempt: an HTTP status, or a word that never changes. */
  outcome?: string;
  next: "resend"[];
};
