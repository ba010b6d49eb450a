import { initialTransition, type SnapshotFrom, transition } from "xstate";
import { type LoginChallengeEvent, loginChallengeMachine } from "../machines/login-challenge.ts";
import type { Method } from "../machines/methods.ts";
import { otpEnrollmentMachine } from "../machines/otp-enrollment.ts";
import type { policyRolloutMachine } from "../machines/policy-rollout.ts";
import { smsEnrollmentMachine } from "../machines/sms-enrollment.ts";
import { webauthnEnrollmentMachine } from "../machines/webauthn-enrollment.ts";
import type { webhookDeliveryMachine } from "../machines/webhook-delivery.ts";
import {
  type LoginChallengeArgs,
  type OtpEnrollmentArgs,
  SIGNALS,
  type SmsEnrollmentArgs,
  type WebauthnEnrollmentArgs,
} from "./messages.ts";
import type {
  ChallengeState,
  ChallengeView,
  EnrollmentState,
  EnrollmentView,
  PolicyRolloutState,
  PolicyRolloutView,
  WebhookDeliveryState,
  WebhookDeliveryView,
} from "./view-types.ts";

type ChallengeSnapshot = SnapshotFrom<typeof loginChallengeMachine>;

/** What clients and operators see of a challenge. */
export function challengeView(snapshot: ChallengeSnapshot): ChallengeView {
  const { method, methods, failures, phone, delivery, deliveryProblem } = snapshot.context;
  const state = stateName<ChallengeState>(snapshot.value);
  return {
    state,
    method,
    methods,
    failures,
    deliveredTo: method === "sms" ? phone : undefined,
    delivery,
    problem: deliveryProblem,
    next: next(snapshot, state, methods),
  };
}

function next(
  snapshot: ChallengeSnapshot,
  state: ChallengeState,
  methods: Method[],
): ChallengeView["next"] {
  if (snapshot.status !== "active") return [];
  // Nothing was delivered that the user could enter. They can resend or choose another method.
  if (state === "delivery_failed") return ["resend", "method"];
  return [
    "verify",
    ...(methods.includes("webauthn") ? (["webauthn"] as const) : []),
    ...(snapshot.can({ type: "RESEND" }) ? (["resend"] as const) : []),
    ...(methods.length > 1 ? (["method"] as const) : []),
  ];
}

/** What clients and operators see of a phone's enrollment. */
export function smsEnrollmentView(
  snapshot: SnapshotFrom<typeof smsEnrollmentMachine>,
): EnrollmentView {
  const { delivery, deliveryProblem, triesRemaining } = snapshot.context;
  const state = stateName<EnrollmentState>(snapshot.value);
  const next: EnrollmentView["next"] = [];
  if (state === "sending_pin" || state === "awaiting_pin") next.push("verify");
  if (snapshot.can({ type: "RESEND" })) next.push("pin");
  if (snapshot.matches("unverified")) next.push("remove");
  return { state, delivery, problem: deliveryProblem, triesRemaining, next };
}

/** What clients and operators see of the enrollment of an app, or of a key. */
export function provenOnceView(
  snapshot: SnapshotFrom<typeof otpEnrollmentMachine | typeof webauthnEnrollmentMachine>,
): EnrollmentView {
  return {
    state: stateName<EnrollmentState>(snapshot.value),
    next: snapshot.matches("unverified") ? ["verify", "restart", "remove"] : [],
  };
}

/** What administrators and operators see of a policy's roll-out. */
export function policyRolloutView(
  snapshot: SnapshotFrom<typeof policyRolloutMachine>,
): PolicyRolloutView {
  const { change, toGo, remindedDaysBefore } = snapshot.context;
  const next: PolicyRolloutView["next"] = [];
  if (snapshot.matches("drafted")) next.push("announce");
  if (snapshot.matches("enforced")) next.push("recount");
  if (snapshot.matches("grace_period") || snapshot.matches("enforced")) next.push("supersede");
  return {
    state: stateName<PolicyRolloutState>(snapshot.value),
    requirement: change?.requirement,
    enforceAfter: change?.enforceAfter ?? undefined,
    toGo,
    remindedDaysBefore,
    next,
  };
}

/** What administrators and operators see of an event's delivery to a webhook. */
export function webhookDeliveryView(
  snapshot: SnapshotFrom<typeof webhookDeliveryMachine>,
): WebhookDeliveryView {
  const { attempts, attemptsBefore, outcome } = snapshot.context;
  return {
    state: stateName<WebhookDeliveryState>(snapshot.value),
    attempts: attemptsBefore + attempts,
    outcome,
    next: snapshot.can({ type: "RESEND" }) ? ["resend"] : [],
  };
}

/** A signal as recorded in a history. */
type Signal = { name: string; payload: object };

/** The view of a challenge that no worker has run yet, after the signals that wait for it. */
export function firstChallengeView(args: LoginChallengeArgs, signals: Signal[] = []) {
  const [first] = initialTransition(loginChallengeMachine, args);
  return challengeView(signals.reduce(heard, first));
}

function heard(snapshot: ChallengeSnapshot, { name, payload }: Signal): ChallengeSnapshot {
  const type = SIGNALS.loginChallenge[name as keyof typeof SIGNALS.loginChallenge];
  const event = { ...payload, type } as LoginChallengeEvent;
  return type && snapshot.can(event)
    ? transition(loginChallengeMachine, snapshot, event)[0]
    : snapshot;
}

/** The view of a phone's enrollment at the start of its workflow. */
export const firstSmsEnrollmentView = (args: SmsEnrollmentArgs) =>
  smsEnrollmentView(initialTransition(smsEnrollmentMachine, args)[0]);

/** The view of an app's enrollment at the start of its workflow. */
export const firstOtpEnrollmentView = (args: OtpEnrollmentArgs) =>
  provenOnceView(initialTransition(otpEnrollmentMachine, args)[0]);

/** The view of a key's enrollment at the start of its workflow. */
export const firstWebauthnEnrollmentView = (args: WebauthnEnrollmentArgs) =>
  provenOnceView(initialTransition(webauthnEnrollmentMachine, args)[0]);

/** The innermost state's name, which clients and operators see. */
function stateName<State extends string>(value: unknown): State {
  if (typeof value === "string") return value as State;
  return stateName(Object.values(value as object)[0]);
}
