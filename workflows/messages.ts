import type { NoticeOutcome } from "../activities/notify.ts";
import type { LoginChallengeEvent } from "../machines/login-challenge.ts";
import type { ClientInfo, Method } from "../machines/methods.ts";
import type { OtpEnrollmentEvent } from "../machines/otp-enrollment.ts";
import type { PolicyRolloutEvent } from "../machines/policy-rollout.ts";
import type { SmsEnrollmentEvent } from "../machines/sms-enrollment.ts";
import type { WebhookDeliveryEvent } from "../machines/webhook-delivery.ts";
import type {
  ChallengeView,
  EnrollmentView,
  PolicyRolloutView,
  WebhookDeliveryView,
} from "./view-types.ts";

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
  origin: ClientInfo;
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

/** `userId` is the administrator's who began it; the policy comes with its announcement. */
export type PolicyRolloutArgs = Owner & { version: number };

/** `userId` is whom the event is about, if anybody. */
export type WebhookDeliveryArgs = Omit<Owner, "userId"> & {
  userId?: string;
  webhookId: string;
  eventId: number;
  retriesMs: readonly number[];
  attemptsBefore: number;
};

/** `userId` is whom the event is about. */
export type NoticeArgs = Omit<Owner, "userId"> & {
  userId: string | null;
  eventId: number;
  /** The user's address, or the one that a change of it has replaced. */
  to: "current" | "former";
};

export type NoticeResult = NoticeOutcome | "given_up";

/** From providers; see `providers/sms/reports.ts`. */
const reports = { reportDelivery: "DELIVERY_REPORTED" } as const;

/** The Updates that each workflow takes: name -> the machine event that it stands for. */
export const UPDATES = {
  loginChallenge: {
    acceptPasscode: "PASSCODE_ACCEPTED",
    rejectPasscode: "PASSCODE_REJECTED",
    lockAccount: "ACCOUNT_LOCKED",
    resendPasscode: "RESEND",
    chooseMethod: "CHOOSE_METHOD",
  },
  smsEnrollment: {
    acceptPin: "PIN_ACCEPTED",
    rejectPin: "PIN_REJECTED",
    voidPin: "PIN_VOIDED",
    resendPin: "RESEND",
    remove: "REMOVE",
  },
  otpEnrollment: {
    acceptCode: "CODE_ACCEPTED",
    rejectCode: "CODE_REJECTED",
    restart: "RESTART",
    remove: "REMOVE",
  },
  policyRollout: { announce: "ANNOUNCE", recount: "RECOUNT" },
  webhookDelivery: { resend: "RESEND" },
} as const;

/** The signals that each workflow hears, where the event they stand for is legal. */
export const SIGNALS = {
  loginChallenge: { withdraw: "WITHDRAW", ...reports },
  smsEnrollment: { withdraw: "REMOVE", ...reports },
  otpEnrollment: { withdraw: "REMOVE" },
  /** From the roll-out of the policy's next version. */
  policyRollout: { supersede: "SUPERSEDE" },
  webhookDelivery: {},
} as const;

/** What an event carries beside its type. */
export type PayloadOf<Event extends { type: string }, Type extends Event["type"]> =
  Extract<Event, { type: Type }> extends infer One
    ? keyof One extends "type"
      ? Record<string, never>
      : Omit<One, "type">
    : never;

/** Of each message that stands for an event, what it carries. */
type Payloads<Event extends { type: string }, Names extends Record<string, Event["type"]>> = {
  [Name in keyof Names]: PayloadOf<Event, Names[Name]>;
};

/** A workflow that runs a machine; its query and its end answer the same view. */
type Machine<Name extends keyof typeof UPDATES, Event extends { type: string }, Input, Answer> = {
  input: Input;
  answer: Answer;
  updates: Payloads<Event, (typeof UPDATES)[Name]>;
  signals: Payloads<Event, (typeof SIGNALS)[Name]>;
};

/** A workflow that nothing but its own steps moves. */
type Sequence<Input, Answer> = {
  input: Input;
  answer: Answer;
  updates: Record<never, never>;
  signals: Record<never, never>;
};

/**
 * What each workflow is started with, what it answers, and what its Updates and signals carry: hosts,
 * callers and activities take their types from here.
 */
export type Workflows = {
  loginChallenge: Machine<"loginChallenge", LoginChallengeEvent, LoginChallengeArgs, ChallengeView>;
  smsEnrollment: Machine<"smsEnrollment", SmsEnrollmentEvent, SmsEnrollmentArgs, EnrollmentView>;
  otpEnrollment: Machine<"otpEnrollment", OtpEnrollmentEvent, OtpEnrollmentArgs, EnrollmentView>;
  policyRollout: Machine<"policyRollout", PolicyRolloutEvent, PolicyRolloutArgs, PolicyRolloutView>;
  webhookDelivery: Machine<
    "webhookDelivery",
    WebhookDeliveryEvent,
    WebhookDeliveryArgs,
    WebhookDeliveryView
  >;
  deviceRemoval: Sequence<DeviceRemovalArgs, DeviceRemovalResult>;
  notice: Sequence<NoticeArgs, NoticeResult>;
};

/** The types of workflows, as Temporal names them. */
export type WorkflowName = keyof Workflows;

export type UpdateName<W extends WorkflowName> = keyof Workflows[W]["updates"] & string;
export type UpdatePayload<
  W extends WorkflowName,
  U extends UpdateName<W>,
> = Workflows[W]["updates"][U];

export type SignalName<W extends WorkflowName> = keyof Workflows[W]["signals"] & string;
export type SignalPayload<
  W extends WorkflowName,
  S extends SignalName<W>,
> = Workflows[W]["signals"][S];

/** The one query of every flow: its view, also after it ended. */
export const VIEW = "view";
