/** What clients, administrators and operators are told of each kind of flow. */

import type { Method } from "../machines/methods.ts";
import type { Requirement } from "../machines/policy-rollout.ts";

export type ChallengeState =
  | "sending_passcode"
  | "awaiting_passcode"
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
  /** The masked phone, where passcodes go to one. */
  deliveredTo?: string;
  /** How the newest message stands; undefined until a provider took it. */
  delivery?: "sent" | "delivered";
  problem?: string;
  next: ("verify" | "resend" | "method")[];
};

export type EnrollmentState =
  | "sending_pin"
  | "awaiting_pin"
  | "pin_expired"
  | "pin_void"
  | "delivery_failed"
  | "awaiting_code"
  | "verifying"
  | "removing"
  | "dropping"
  | "verified"
  | "removed"
  | "dropped";

export type EnrollmentView = {
  state: EnrollmentState;
  /** As a challenge's; of phones alone. */
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
  /** Users without a verified device when they were last counted. */
  toGo?: number;
  remindedDaysBefore?: number;
  next: ("announce" | "recount" | "supersede")[];
};

export type WebhookDeliveryState = "attempting" | "waiting" | "delivered" | "failed" | "canceled";

export type WebhookDeliveryView = {
  state: WebhookDeliveryState;
  /** Those of earlier sendings of the same event included. */
  attempts: number;
  /** What the last one came to: an HTTP status, or a stable word. */
  outcome?: string;
  next: "resend"[];
};
