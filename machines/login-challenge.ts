import { assign, setup } from "xstate";
import {
  type DeliveryContext,
  type DeliveryEvent,
  handedOver,
  newsOf,
  sendingBegun,
  undelivered,
} from "./delivery.ts";
import type { ClientInfo, Factor, Method } from "./methods.ts";

export type LoginChallengeInput = {
  method: Method;
  methods: Method[];
  lifetimeMs: number;
  /** The user's phone, with all but its last digits hidden. */
  phone?: string;
  /**
   * False if a send budget was used up before the challenge started: nothing is sent until a
   * resend.
   */
  maySend: boolean;
};

export type LoginChallengeEvent =
  | DeliveryEvent
  | { type: "RESEND" }
  | { type: "CHOOSE_METHOD"; method: Method; maySend: boolean }
  | { type: "PASSCODE_SENT" }
  /** The factor and the origin are only for readers of the history. */
  | { type: "PASSCODE_ACCEPTED"; factor: Factor; origin: ClientInfo }
  | { type: "PASSCODE_REJECTED"; failures: number }
  | { type: "ACCOUNT_LOCKED"; origin: ClientInfo }
  | { type: "WITHDRAW"; reason: string };

type Context = LoginChallengeInput &
  DeliveryContext & {
    failures: number;
    origin?: ClientInfo;
    withdrawnFor?: string;
  };

/** A report may arrive before the event that the message was handed over. */
const whileAPasscodeIsOut = {
  DELIVERY_REPORTED: [
    { guard: "arrived", actions: "noteArrival" },
    { guard: "lost", target: "delivery_failed", actions: "noteProblem" },
  ],
} as const;

/**
 * The second step of one login. It is open for a limited time, and ends by the right passcode or a
 * security key, the lock, the deadline, or a change of the user's devices. The deadline belongs to
 * `open`, so a resend does not extend it.
 */
export const loginChallengeMachine = setup({
  types: {} as { context: Context; events: LoginChallengeEvent; input: LoginChallengeInput },
  actions: {
    sendPasscode: () => {},
    recordExpiry: () => {},
    lockUser: () => {},
    beginSending: assign(({ context }) => sendingBegun(context)),
    noteHandover: assign(({ context }) => handedOver(context)),
    noteArrival: assign({ delivery: "delivered" }),
    noteProblem: assign(({ event }) => undelivered(event)),
  },
  guards: {
    byOtp: ({ context }) => context.method === "otp",
    byKey: ({ context }) => context.method === "webauthn",
    bySms: ({ context }) => context.method === "sms",
    maySend: ({ context }) => context.maySend,
    arrived: ({ context, event }) =>
      context.method === "sms" && newsOf(context, event) === "delivered",
    lost: ({ context, event }) => context.method === "sms" && newsOf(context, event) === "failed",
    otherMethod: ({ context, event }) =>
      event.type === "CHOOSE_METHOD" &&
      event.method !== context.method &&
      context.methods.includes(event.method),
  },
  delays: { challengeLifetime: ({ context }) => context.lifetimeMs },
}).createMachine({
  id: "loginChallenge",
  context: ({ input }) => ({ ...input, failures: 0, sendings: 0 }),
  initial: "open",
  states: {
    open: {
      initial: "choosing",
      after: { challengeLifetime: "expired" },
      on: {
        CHOOSE_METHOD: {
          guard: "otherMethod",
          target: ".choosing",
          actions: assign({
            method: ({ event }) => event.method,
            maySend: ({ event }) => event.maySend,
            delivery: undefined,
            deliveryProblem: undefined,
          }),
        },
        PASSCODE_ACCEPTED: "authenticated",
        PASSCODE_REJECTED: { actions: assign({ failures: ({ event }) => event.failures }) },
        ACCOUNT_LOCKED: {
          target: "locked",
          actions: assign({ origin: ({ event }) => event.origin }),
        },
        WITHDRAW: {
          target: "withdrawn",
          actions: assign({ withdrawnFor: ({ event }) => event.reason }),
        },
      },
      states: {
        choosing: {
          always: [
            { guard: "byOtp", target: "awaiting_passcode" },
            { guard: "byKey", target: "awaiting_key" },
            { guard: "maySend", target: "sending_passcode" },
            { target: "delivery_failed", actions: assign({ deliveryProblem: "send_limit" }) },
          ],
        },
        sending_passcode: {
          entry: ["beginSending", "sendPasscode"],
          on: {
            ...whileAPasscodeIsOut,
            PASSCODE_SENT: { target: "awaiting_passcode", actions: "noteHandover" },
            DELIVERY_FAILED: { target: "delivery_failed", actions: "noteProblem" },
          },
        },
        awaiting_passcode: {
          on: {
            ...whileAPasscodeIsOut,
            RESEND: { guard: "bySms", target: "sending_passcode" },
          },
        },
        awaiting_key: {},
        delivery_failed: { on: { RESEND: "sending_passcode" } },
      },
    },
    authenticated: { type: "final" },
    expired: { type: "final", entry: "recordExpiry" },
    locked: { type: "final", entry: "lockUser" },
    withdrawn: { type: "final" },
  },
});
