import { assign, setup } from "xstate";
import { type EnrollmentContext, type SettlementEvent, settlement } from "./enrollment.ts";
import type { Origin } from "./methods.ts";

export type SmsEnrollmentInput = { lifetimeMs: number; pinLifetimeMs: number };

export type SmsEnrollmentEvent =
  | SettlementEvent
  | { type: "RESEND" }
  | { type: "PIN_SENT" }
  | { type: "DELIVERY_FAILED"; reason: string }
  | { type: "PIN_REJECTED"; triesRemaining: number }
  | { type: "PIN_VOIDED" }
  | { type: "PIN_ACCEPTED"; makeDefault: boolean; origin: Origin };

type Context = EnrollmentContext & {
  pinLifetimeMs: number;
  triesRemaining?: number;
  deliveryProblem?: string;
};

/**
 * The message can reach the phone before the workflow hears that it was sent, so a PIN may be
 * judged in `sending_pin` too.
 */
const whilePinIsOut = {
  PIN_REJECTED: { actions: "noteRejection" },
  PIN_VOIDED: { target: "#smsEnrollment.unverified.pin_void", actions: "noteVoid" },
  PIN_ACCEPTED: { target: "#smsEnrollment.verifying", actions: "noteAcceptance" },
} as const;

const whileNoPinIsUnderway = {
  RESEND: { target: "sending_pin", actions: "forgetOlderPin" },
} as const;

/**
 * Pairing a phone: a PIN is sent, and the device counts only once its owner has typed it back.
 * Until then it stays listed, and a new PIN can be asked for, for as long as `unverified` lasts.
 */
export const smsEnrollmentMachine = setup({
  types: {} as { context: Context; events: SmsEnrollmentEvent; input: SmsEnrollmentInput },
  actions: {
    sendPin: () => {},
    settleDevice: () => {},
    removeDevice: () => {},
    dropDevice: () => {},
    noteProblem: assign(({ event }) =>
      event.type === "DELIVERY_FAILED"
        ? { deliveryProblem: event.reason, triesRemaining: undefined }
        : {},
    ),
    noteRejection: assign(({ event }) =>
      event.type === "PIN_REJECTED" ? { triesRemaining: event.triesRemaining } : {},
    ),
    noteVoid: assign({ triesRemaining: 0 }),
    forgetOlderPin: assign({ deliveryProblem: undefined, triesRemaining: undefined }),
    noteAcceptance: assign(({ event }) =>
      event.type === "PIN_ACCEPTED" ? { makeDefault: event.makeDefault, origin: event.origin } : {},
    ),
    noteOrigin: assign(({ event }) => (event.type === "REMOVE" ? { origin: event.origin } : {})),
  },
  delays: {
    enrollmentLifetime: ({ context }) => context.lifetimeMs,
    pinLifetime: ({ context }) => context.pinLifetimeMs,
  },
}).createMachine({
  id: "smsEnrollment",
  context: ({ input }) => ({ ...input, makeDefault: true, signOut: true }),
  initial: "unverified",
  states: {
    unverified: {
      initial: "sending_pin",
      after: { enrollmentLifetime: "dropping" },
      on: { REMOVE: { target: "removing", actions: "noteOrigin" } },
      states: {
        sending_pin: {
          entry: "sendPin",
          on: {
            ...whilePinIsOut,
            PIN_SENT: "awaiting_pin",
            DELIVERY_FAILED: { target: "delivery_failed", actions: "noteProblem" },
          },
        },
        awaiting_pin: {
          after: { pinLifetime: "pin_expired" },
          on: { ...whilePinIsOut, ...whileNoPinIsUnderway },
        },
        pin_expired: { on: whileNoPinIsUnderway },
        pin_void: { on: whileNoPinIsUnderway },
        delivery_failed: { on: whileNoPinIsUnderway },
      },
    },
    ...settlement,
  },
});
