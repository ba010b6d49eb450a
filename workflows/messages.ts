import type { Method, Origin } from "../machines/methods.ts";
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

/** Whose flow it is: opaque ids, carried by every workflow's input. */
export type Owner = { userId: string; accountId: string };

export type LoginChallengeArgs = Owner & {
  challengeId: string;
  method: Method;
  methods: Method[];
  lifetimeMs: number;
  /** Masked. */
  phone?: string;
  maySend: boolean;
};

export type SmsEnrollmentArgs = Owner & {
  deviceId: string;
  lifetimeMs: number;
  pinLifetimeMs: number;
};

export type OtpEnrollmentArgs = Owner & { deviceId: string; lifetimeMs: number };

export type DeviceRemovalArgs = Owner & {
  removalId: string;
  /** One device; without it all of them. */
  deviceId?: string;
  /** The type of the audit event. */
  event: "device_removed" | "all_devices_removed" | "multi_factor_reset";
  /** Who asked for it. */
  actorId: string;
  origin: Origin;
  /** What the audit is told beside it. */
  detail?: Record<string, string>;
  /** What was not so when it was asked for. Where it is so by now, nothing is removed. */
  unless?: "enabled" | "last_of_default";
  /** End the user's sessions: always, or only where the account requires the factor now missing. */
  signOut: "always" | "if_required";
};

export type DeviceRemovalResult =
  | "removed"
  | "multi_factor_off"
  | "gone"
  | "remove_all_required"
  | "overtaken";

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

/** `userId` is the administrator's who began it; the policy comes with its announcement. */
export type PolicyRolloutArgs = Owner & { version: number };

export type WebhookDeliveryState = "attempting" | "waiting" | "delivered" | "failed" | "canceled";

export type WebhookDeliveryView = {
  state: WebhookDeliveryState;
  /** Those of earlier sendings of the same event included. */
  attempts: number;
  /** What the last one came to: an HTTP status, or a stable word. */
  outcome?: string;
  next: "resend"[];
};

/** `userId` is whom the event is about, if anybody. */
export type WebhookDeliveryArgs = Omit<Owner, "userId"> & {
  userId?: string;
  webhookId: string;
  eventId: number;
  retriesMs: readonly number[];
  attemptsBefore: number;
};

/** Update name -> the machine event it stands for; the payload is the event's own. */
export const challengeUpdates = {
  acceptPasscode: "PASSCODE_ACCEPTED",
  rejectPasscode: "PASSCODE_REJECTED",
  lockAccount: "ACCOUNT_LOCKED",
  resendPasscode: "RESEND",
  chooseMethod: "CHOOSE_METHOD",
} as const;

/** From providers; see `providers/sms/reports.ts`. */
const deliverySignals = { reportDelivery: "DELIVERY_REPORTED" } as const;

/** Signal name -> the machine event it stands for. */
export const challengeSignals = { withdraw: "WITHDRAW", ...deliverySignals } as const;
export const enrollmentSignals = { withdraw: "REMOVE" } as const;
export const smsSignals = { ...enrollmentSignals, ...deliverySignals } as const;

export const smsUpdates = {
  acceptPin: "PIN_ACCEPTED",
  rejectPin: "PIN_REJECTED",
  voidPin: "PIN_VOIDED",
  resendPin: "RESEND",
  remove: "REMOVE",
} as const;

export const otpUpdates = {
  acceptCode: "CODE_ACCEPTED",
  rejectCode: "CODE_REJECTED",
  restart: "RESTART",
  remove: "REMOVE",
} as const;

export const rolloutUpdates = { announce: "ANNOUNCE", recount: "RECOUNT" } as const;

export const webhookUpdates = { resend: "RESEND" } as const;

/** From the roll-out of the policy's next version. */
export const rolloutSignals = { supersede: "SUPERSEDE" } as const;

/** The one query of every flow: its view, also after it ended. */
export const VIEW = "view";
