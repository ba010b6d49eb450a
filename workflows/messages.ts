import type { NoticeOutcome } from "../activities/notify.ts";
import type { LoginChallengeEvent } from "../machines/login-challenge.ts";
import type { ClientInfo, Method } from "../machines/methods.ts";
import type { OtpEnrollmentEvent } from "../machines/otp-enrollment.ts";
import type { PolicyRolloutEvent } from "../machines/policy-rollout.ts";
import type { SmsEnrollmentEvent } from "../machines/sms-enrollment.ts";
import type { WebauthnEnrollmentEvent } from "../machines/webauthn-enrollment.ts";
import type { WebhookDeliveryEvent } from "../machines/webhook-delivery.ts";
import type {
  ChallengeView,
  EnrollmentView,
  PolicyRolloutView,
  WebhookDeliveryView,
} from "./view-types.ts";

/** The flow's owner: opaque IDs in every workflow's input. */
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

export type WebauthnEnrollmentArgs = OtpEnrollmentArgs;

export type DeviceRemovalArgs = Owner & {
  removalId: string;
  /** The device to remove; without it, all devices. */
  deviceId?: string;
  /** The type of the audit event. */
  event: "device_removed" | "all_devices_removed" | "multi_factor_reset";
  /** Who requested it. */
  actorId: string;
  /** Their session. It stays when the removal of a key ends the sessions that keys opened. */
  sessionId?: string;
  origin: ClientInfo;
  /** Additional detail for the audit event. */
  detail?: Record<string, string>;
  /** A condition that did not hold at the request. If it holds now, nothing is removed. */
  unless?: "enabled" | "last_of_default";
  /**
   * Whether to end the user's sessions: always, or only if the account requires the factor that is
   * now missing.
   */
  signOut: "always" | "if_required";
};

export type DeviceRemovalResult =
  | "removed"
  | "multi_factor_off"
  | "gone"
  | "remove_all_required"
  | "overtaken";

/** `userId` is the administrator who started it. The policy comes with the announcement. */
export type PolicyRolloutArgs = Owner & { version: number };

/** `userId` is the user the event is about, if any. */
export type WebhookDeliveryArgs = Omit<Owner, "userId"> & {
  userId?: string;
  webhookId: string;
  eventId: number;
  /** The name that `eventRef` makes of the event's key; flows of older versions have none. */
  ref?: string;
  retriesMs: readonly number[];
  attemptsBefore: number;
};

/** `userId` is the user the event is about. */
export type NoticeArgs = Omit<Owner, "userId"> & {
  userId: string | null;
  eventId: number;
  /** As in `WebhookDeliveryArgs`. */
  ref?: string;
  /** The user's address, or the previous address after a change. */
  to: "current" | "former";
};

export type NoticeResult = NoticeOutcome | "given_up";

/** `given_up`: a partition could not be exported or dropped, and is kept. */
export type AuditMaintenanceResult = "nothing_due" | "dropped" | "given_up";

/** From providers; see `providers/sms/reports.ts`. */
const reports = { reportDelivery: "DELIVERY_REPORTED" } as const;

/** The Updates that each workflow accepts: name -> the machine event that it stands for. */
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
  webauthnEnrollment: {
    acceptCredential: "CREDENTIAL_ACCEPTED",
    rejectCredential: "CREDENTIAL_REJECTED",
    restart: "RESTART",
    remove: "REMOVE",
  },
  policyRollout: { announce: "ANNOUNCE", recount: "RECOUNT" },
  webhookDelivery: { resend: "RESEND" },
} as const;

/** The signals that each workflow hears. One whose event is not legal at the moment is ignored. */
export const SIGNALS = {
  loginChallenge: { withdraw: "WITHDRAW", ...reports },
  smsEnrollment: { withdraw: "REMOVE", ...reports },
  otpEnrollment: { withdraw: "REMOVE" },
  webauthnEnrollment: { withdraw: "REMOVE" },
  /** From the roll-out of the policy's next version. */
  policyRollout: { supersede: "SUPERSEDE" },
  webhookDelivery: {},
} as const;

/** The fields of an event besides its type. */
export type PayloadOf<Event extends { type: string }, Type extends Event["type"]> =
  Extract<Event, { type: Type }> extends infer One
    ? keyof One extends "type"
      ? Record<string, never>
      : Omit<One, "type">
    : never;

/** The payload of each message that stands for an event. */
type Payloads<Event extends { type: string }, Names extends Record<string, Event["type"]>> = {
  [Name in keyof Names]: PayloadOf<Event, Names[Name]>;
};

/** A workflow that runs a machine. Its query and its result return the same view. */
type Machine<Name extends keyof typeof UPDATES, Event extends { type: string }, Input, Answer> = {
  input: Input;
  answer: Answer;
  updates: Payloads<Event, (typeof UPDATES)[Name]>;
  signals: Payloads<Event, (typeof SIGNALS)[Name]>;
};

/** A workflow without a machine: only its own steps move it. */
type Sequence<Input, Answer> = {
  input: Input;
  answer: Answer;
  updates: Record<never, never>;
  signals: Record<never, never>;
};

/**
 * Each workflow's input and answer, and the payloads of its Updates and signals. Hosts, callers and
 * activities take their types from here.
 */
export type Workflows = {
  loginChallenge: Machine<"loginChallenge", LoginChallengeEvent, LoginChallengeArgs, ChallengeView>;
  smsEnrollment: Machine<"smsEnrollment", SmsEnrollmentEvent, SmsEnrollmentArgs, EnrollmentView>;
  otpEnrollment: Machine<"otpEnrollment", OtpEnrollmentEvent, OtpEnrollmentArgs, EnrollmentView>;
  webauthnEnrollment: Machine<
    "webauthnEnrollment",
    WebauthnEnrollmentEvent,
    WebauthnEnrollmentArgs,
    EnrollmentView
  >;
  policyRollout: Machine<"policyRollout", PolicyRolloutEvent, PolicyRolloutArgs, PolicyRolloutView>;
  webhookDelivery: Machine<
    "webhookDelivery",
    WebhookDeliveryEvent,
    WebhookDeliveryArgs,
    WebhookDeliveryView
  >;
  deviceRemoval: Sequence<DeviceRemovalArgs, DeviceRemovalResult>;
  notice: Sequence<NoticeArgs, NoticeResult>;
  auditMaintenance: Sequence<undefined, AuditMaintenanceResult>;
};

/** The workflows' types, as Temporal names them. */
export type WorkflowName = keyof Workflows;

/** The workflows that belong to an account. The other one is started by a schedule. */
export type OwnedWorkflow = Exclude<WorkflowName, "auditMaintenance">;

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

/** The only query of every flow: its view, also after it has ended. */
export const VIEW = "view";
