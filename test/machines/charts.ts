import type { AnyStateMachine, EventFromLogic, InputFrom, SnapshotFrom } from "xstate";
import { loginChallengeMachine } from "../../machines/login-challenge.ts";
import { otpEnrollmentMachine } from "../../machines/otp-enrollment.ts";
import {
  type PolicyChange,
  type PolicyRolloutEvent,
  policyRolloutMachine,
} from "../../machines/policy-rollout.ts";
import { smsEnrollmentMachine } from "../../machines/sms-enrollment.ts";
import { webauthnEnrollmentMachine } from "../../machines/webauthn-enrollment.ts";
import { webhookDeliveryMachine } from "../../machines/webhook-delivery.ts";
import { DAY_MS, MINUTE_MS } from "../../units.ts";
import { SIGNALS, UPDATES } from "../../workflows/messages.ts";
import {
  challengeView,
  policyRolloutView,
  provenOnceView,
  smsEnrollmentView,
  webhookDeliveryView,
} from "../../workflows/views.ts";
import { walk } from "../support/machine-walk.ts";

const origin = { ip: "192.0.2.7", userAgent: "test" };
const LIFETIME = 600_000;
const PIN_LIFETIME = 60_000;

export type Chart<M extends AnyStateMachine> = ReturnType<typeof chart<M>>;

/** Walks a chart once for each of its inputs. The rest of the entry is what must be true. */
function chart<M extends AnyStateMachine>(described: {
  machine: M;
  inputs: InputFrom<M>[];
  events: EventFromLogic<M>[];
  /** Delay name -> the state that it limits, and the limit in ms. */
  deadlines: Record<string, { state: string; ms: number }>;
  stopWhen?: (snapshot: SnapshotFrom<M>) => boolean;
  /** Events from outside: by an Update or a Signal. */
  requests: readonly EventFromLogic<M>["type"][];
  /** The effects that its workflow can run. */
  effects: string[];
  view: (snapshot: SnapshotFrom<M>) => { state: string; next: string[] };
  /** A name in `next` -> the event that it stands for. */
  next: Record<string, EventFromLogic<M>["type"]>;
  /** Names in `next` that are only offered in some of the states that accept their event. */
  nextOnlyIf?: Record<string, (snapshot: SnapshotFrom<M>) => boolean>;
  /** States whose `next` is shorter: if the user has no code, it names what helps instead. */
  nextInstead?: Record<string, string[]>;
}) {
  const { machine, inputs, events, stopWhen } = described;
  const deadlines = Object.entries(described.deadlines).map(
    ([delay, { state }]) => `${delay}.${machine.id}.${state}`,
  );
  const deadlineEvents = deadlines.map((id) => ({ type: `xstate.after.${id}` }));
  const walks = inputs.map((input) => walk(machine, input, { events, deadlines, stopWhen }));
  return {
    ...described,
    events: [...events, ...deadlineEvents],
    starts: walks.map(({ start }) => start),
    places: walks.flatMap(({ places }) => places),
    moves: walks.flatMap(({ moves }) => moves),
  };
}

/** Every report of a provider, about the first sending and about the second. */
const reports = [1, 2].flatMap((sending) => [
  { type: "DELIVERY_REPORTED" as const, sending, outcome: "delivered" as const },
  { type: "DELIVERY_REPORTED" as const, sending, outcome: "failed" as const, reason: "expired" },
]);

/** Stops the walk, because sendings are counted without a limit. */
const afterTwoSendings = ({ context }: { context: { sendings: number } }) => context.sendings > 2;

export const loginChallenge = chart({
  machine: loginChallengeMachine,
  inputs: (
    [
      ["sms", ["sms"]],
      ["sms", ["sms", "otp"]],
      ["otp", ["otp"]],
      ["otp", ["sms", "otp"]],
      ["webauthn", ["webauthn"]],
      ["webauthn", ["webauthn", "sms"]],
    ] as const
  ).flatMap(([method, methods]) =>
    [true, false].map((maySend) => ({
      method,
      methods: [...methods],
      maySend,
      phone: "+1 ••• 0123",
      lifetimeMs: LIFETIME,
    })),
  ),
  events: [
    { type: "RESEND" },
    { type: "CHOOSE_METHOD", method: "sms", maySend: true },
    { type: "CHOOSE_METHOD", method: "sms", maySend: false },
    { type: "CHOOSE_METHOD", method: "otp", maySend: false },
    { type: "CHOOSE_METHOD", method: "webauthn", maySend: false },
    { type: "PASSCODE_SENT" },
    { type: "DELIVERY_FAILED", reason: "provider_unavailable" },
    ...reports,
    { type: "PASSCODE_ACCEPTED", factor: "recovery_code", origin },
    { type: "PASSCODE_REJECTED", failures: 1 },
    { type: "PASSCODE_REJECTED", failures: 6 },
    { type: "ACCOUNT_LOCKED", origin },
    { type: "WITHDRAW", reason: "devices_removed" },
  ],
  deadlines: { challengeLifetime: { state: "open", ms: LIFETIME } },
  stopWhen: afterTwoSendings,
  requests: [...Object.values(UPDATES.loginChallenge), ...Object.values(SIGNALS.loginChallenge)],
  effects: ["sendPasscode", "recordExpiry", "lockUser"],
  view: challengeView,
  next: {
    verify: "PASSCODE_ACCEPTED",
    webauthn: "PASSCODE_ACCEPTED",
    resend: "RESEND",
    method: "CHOOSE_METHOD",
  },
  nextOnlyIf: { webauthn: ({ context }) => context.methods.includes("webauthn") },
  nextInstead: { delivery_failed: ["resend", "method"] },
});

export const smsEnrollment = chart({
  machine: smsEnrollmentMachine,
  inputs: [{ lifetimeMs: LIFETIME, pinLifetimeMs: PIN_LIFETIME }],
  events: [
    { type: "RESEND" },
    { type: "PIN_SENT" },
    { type: "DELIVERY_FAILED", reason: "provider_unavailable" },
    ...reports,
    { type: "PIN_REJECTED", triesRemaining: 4 },
    { type: "PIN_REJECTED", triesRemaining: 1 },
    { type: "PIN_VOIDED" },
    { type: "PIN_ACCEPTED", makeDefault: true, origin },
    { type: "PIN_ACCEPTED", makeDefault: false, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
  ],
  deadlines: {
    enrollmentLifetime: { state: "unverified", ms: LIFETIME },
    pinLifetime: { state: "unverified.awaiting_pin", ms: PIN_LIFETIME },
  },
  stopWhen: afterTwoSendings,
  requests: [...Object.values(UPDATES.smsEnrollment), ...Object.values(SIGNALS.smsEnrollment)],
  effects: ["sendPin", "settleDevice", "removeDevice", "dropDevice"],
  view: smsEnrollmentView,
  next: { verify: "PIN_ACCEPTED", pin: "RESEND", remove: "REMOVE" },
});

export const otpEnrollment = chart({
  machine: otpEnrollmentMachine,
  inputs: [{ lifetimeMs: LIFETIME }],
  events: [
    { type: "RESTART" },
    { type: "CODE_REJECTED" },
    { type: "CODE_ACCEPTED", makeDefault: true, signOut: true, origin },
    { type: "CODE_ACCEPTED", makeDefault: false, signOut: false, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
  ],
  deadlines: { enrollmentLifetime: { state: "unverified", ms: LIFETIME } },
  // Stops the walk, because wrong codes are counted without a limit.
  stopWhen: ({ context }) => context.rejected === 3,
  requests: [...Object.values(UPDATES.otpEnrollment), ...Object.values(SIGNALS.otpEnrollment)],
  effects: ["settleDevice", "removeDevice", "dropDevice"],
  view: provenOnceView,
  next: { verify: "CODE_ACCEPTED", restart: "RESTART", remove: "REMOVE" },
});

export const webauthnEnrollment = chart({
  machine: webauthnEnrollmentMachine,
  inputs: [{ lifetimeMs: LIFETIME }],
  events: [
    { type: "RESTART" },
    { type: "CREDENTIAL_REJECTED" },
    { type: "CREDENTIAL_ACCEPTED", makeDefault: true, signOut: true, origin },
    { type: "CREDENTIAL_ACCEPTED", makeDefault: false, signOut: false, origin },
    { type: "REMOVE", origin },
    { type: "DEVICE_VERIFIED" },
    { type: "DEVICE_GONE" },
  ],
  deadlines: { enrollmentLifetime: { state: "unverified", ms: LIFETIME } },
  // Stops the walk, because refused credentials are counted without a limit.
  stopWhen: ({ context }) => context.rejected === 3,
  requests: [
    ...Object.values(UPDATES.webauthnEnrollment),
    ...Object.values(SIGNALS.webauthnEnrollment),
  ],
  effects: ["settleDevice", "removeDevice", "dropDevice"],
  view: provenOnceView,
  next: { verify: "CREDENTIAL_ACCEPTED", restart: "RESTART", remove: "REMOVE" },
});

export const webhookDelivery = chart({
  machine: webhookDeliveryMachine,
  inputs: [
    { retriesMs: [LIFETIME, LIFETIME], attemptsBefore: 0 },
    { retriesMs: [LIFETIME, LIFETIME], attemptsBefore: 10 },
  ],
  events: [
    { type: "EVENT_TAKEN", outcome: "204" },
    { type: "ATTEMPT_FAILED", outcome: "500" },
    { type: "WEBHOOK_REFUSED", outcome: "410" },
    { type: "WEBHOOK_GONE" },
    { type: "RESEND" },
  ],
  deadlines: { retryDelay: { state: "waiting", ms: LIFETIME } },
  requests: Object.values(UPDATES.webhookDelivery),
  effects: ["sendEvent", "noteDelivery", "giveUp"],
  view: webhookDeliveryView,
  next: { resend: "RESEND" },
});

/** An administrator's policy change; without a grace period by default. */
export const announce = (policy: Partial<PolicyChange> = {}): PolicyRolloutEvent => ({
  type: "ANNOUNCE",
  requirement: "required",
  enforceAfter: null,
  graceMs: 0,
  actorId: "a",
  origin,
  ...policy,
});
export const grace = (days: number) => ({
  enforceAfter: "2026-02-01T00:00:00Z",
  graceMs: days * DAY_MS,
});

export const policyRollout = chart({
  machine: policyRolloutMachine,
  inputs: [{}],
  events: [
    announce(),
    announce(grace(14)),
    announce({ requirement: "optional" }),
    announce({ requirement: "phishing_resistant", ...grace(14) }),
    { type: "POLICY_PERSISTED" },
    { type: "POLICY_CONFLICT" },
    { type: "USERS_COUNTED", toGo: 0 },
    { type: "USERS_COUNTED", toGo: 2 },
    { type: "OVERTAKEN", requirement: "optional" },
    { type: "OVERTAKEN", requirement: "required" },
    { type: "OVERTAKEN", requirement: "phishing_resistant" },
    { type: "RECOUNT" },
    { type: "SUPERSEDE", requirement: "optional" },
    { type: "SUPERSEDE", requirement: "required" },
    { type: "SUPERSEDE", requirement: "phishing_resistant" },
  ],
  deadlines: {
    draftLifetime: { state: "drafted", ms: MINUTE_MS },
    gracePeriod: { state: "grace_period", ms: 14 * DAY_MS },
    firstReminder: { state: "grace_period", ms: 11 * DAY_MS },
    lastReminder: { state: "grace_period", ms: 13 * DAY_MS },
    recountInterval: { state: "enforced", ms: DAY_MS },
  },
  requests: [...Object.values(UPDATES.policyRollout), ...Object.values(SIGNALS.policyRollout)],
  effects: ["persistPolicy", "remindUsers", "enforcePolicy", "countUsers"],
  view: policyRolloutView,
  next: { announce: "ANNOUNCE", recount: "RECOUNT", supersede: "SUPERSEDE" },
});

export const charts = {
  loginChallenge,
  smsEnrollment,
  otpEnrollment,
  webauthnEnrollment,
  policyRollout,
  webhookDelivery,
};
