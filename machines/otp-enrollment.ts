import { assign, setup } from "xstate";
import {
  type Acceptance,
  accepted,
  type EnrollmentContext,
  type FinishingEvent,
  finishingStates,
} from "./enrollment.ts";

export type OtpEnrollmentInput = { lifetimeMs: number };

export type OtpEnrollmentEvent =
  | FinishingEvent
  | { type: "RESTART" }
  | { type: "CODE_REJECTED" }
  | ({ type: "CODE_ACCEPTED" } & Acceptance);

type Context = EnrollmentContext & { rejected: number };

/**
 * Pairs an authenticator app. The secret is shown once, and the device counts only after a code
 * made from it was entered. A restart means a new secret; it does not extend the enrollment.
 */
export const otpEnrollmentMachine = setup({
  types: {} as { context: Context; events: OtpEnrollmentEvent; input: OtpEnrollmentInput },
  actions: { settleDevice: () => {}, removeDevice: () => {}, dropDevice: () => {} },
  delays: { enrollmentLifetime: ({ context }) => context.lifetimeMs },
}).createMachine({
  id: "otpEnrollment",
  context: ({ input }) => ({ ...input, rejected: 0, makeDefault: true, signOut: true }),
  initial: "unverified",
  states: {
    unverified: {
      initial: "awaiting_code",
      after: { enrollmentLifetime: "dropping" },
      on: {
        REMOVE: { target: "removing", actions: assign({ origin: ({ event }) => event.origin }) },
      },
      states: {
        awaiting_code: {
          on: {
            RESTART: { actions: assign({ rejected: 0 }) },
            CODE_REJECTED: { actions: assign({ rejected: ({ context }) => context.rejected + 1 }) },
            CODE_ACCEPTED: {
              target: "#otpEnrollment.verifying",
              actions: assign(({ event }) => accepted(event)),
            },
          },
        },
      },
    },
    ...finishingStates,
  },
});
