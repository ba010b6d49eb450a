import { assign, setup } from "xstate";
import {
  type DeliveryContext,
  type DeliveryEvent,
  handedOver,
  newsOf,
  sendingBegun,
  undelivered,
} from "./delivery.ts";
import { type EnrollmentContext, type FinishingEvent, finishingStates } from "./enrollment.ts";
import type { ClientInfo } from "./methods.ts";

export type SmsEnrollmentInput = { lifetimeMs: number; pinLifetimeMs: number };

export type SmsEnrollmentEvent =
  | FinishingEvent
  | DeliveryEvent
  | { type: "RESEND" }
  | { type: "PIN_SENT" }
  | { type: "PIN_REJECTED"; triesRemaining: number }
  | { type: "PIN_VOIDED" }
  | {
      type: "PIN_ACCEPTED";
      makeDefault: boolean;
      aside?: boolean;
      alone?: boolean;
      origin: ClientInfo;
    };

type Context = EnrollmentContext &
  DeliveryContext & {
    pinLifetimeMs: number;
    triesRemaining?: number;
  };

/**
 * The message can reach the phone before the workflow learns that it was sent. So a PIN may be
 * judged, and its delivery reported, in `sending_pin` too.
 */
const whilePinIsOut = {
  PIN_REJECTED: { actions: "noteRejection" },
  PIN_VOIDED: { target: "#smsEnrollment.unverified.pin_void", actions: "noteVoid" },
  PIN_ACCEPTED: { target: "#smsEnrollment.verifying", actions: "noteAcceptance" },
  DELIVERY_REPORTED: [
    { guard: "arrived", actions: "noteArrival" },
    { guard: "lost", target: "#smsEnrollment.unverified.delivery_failed", actions: "noteProblem" },
  ],
} as const;

const whileNoPinIsUnderway = { RESEND: "sending_pin" } as const;

/**
 * Pairs a phone. A PIN is sent, and the device counts only after its owner has entered it. Until
 * then the device is listed, and a new PIN can be requested while `unverified` lasts.
 */
export const smsEnrollmentMachine = setup({
  types: {} as { context: Context; events: SmsEnrollmentEvent; input: SmsEnrollmentInput },
  actions: {
    sendPin: () => {},
    settleDevice: () => {},
    removeDevice: () => {},
    dropDevice: () => {},
    beginSending: assign(({ context }) => ({
      ...sendingBegun(context),
      triesRemaining: undefined,
    })),
    noteHandover: assign(({ context }) => handedOver(context)),
    noteArrival: assign({ delivery: "delivered" }),
    noteProblem: assign(({ event }) => ({ ...undelivered(event), triesRemaining: undefined })),
    noteRejection: assign(({ event }) =>
      event.type === "PIN_REJECTED" ? { triesRemaining: event.triesRemaining } : {},
    ),
    noteVoid: assign({ triesRemaining: 0 }),
    noteAcceptance: assign(({ event }) => {
      if (event.type !== "PIN_ACCEPTED") return {};
      const { makeDefault, aside, alone, origin } = event;
      return { makeDefault, aside, alone, signOut: !aside, origin };
    }),
    noteOrigin: assign(({ event }) => (event.type === "REMOVE" ? { origin: event.origin } : {})),
  },
  guards: {
    arrived: ({ context, event }) => newsOf(context, event) === "delivered",
    lost: ({ context, event }) => newsOf(context, event) === "failed",
  },
  delays: {
    enrollmentLifetime: ({ context }) => context.lifetimeMs,
    pinLifetime: ({ context }) => context.pinLifetimeMs,
  },
}).createMachine({
  id: "smsEnrollment",
  context: ({ input }) => ({ ...input, makeDefault: true, signOut: true, sendings: 0 }),
  initial: "unverified",
  states: {
    unverified: {
      initial: "sending_pin",
      after: { enrollmentLifetime: "dropping" },
      on: { REMOVE: { target: "removing", actions: "noteOrigin" } },
      states: {
        sending_pin: {
          entry: ["beginSending", "sendPin"],
          on: {
            ...whilePinIsOut,
            PIN_SENT: { target: "awaiting_pin", actions: "noteHandover" },
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
    ...finishingStates,
  },
});
