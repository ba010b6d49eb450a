import { assign, setup } from "xstate";
import {
  type Acceptance,
  accepted,
  type EnrollmentContext,
  type FinishingEvent,
  finishingStates,
} from "./enrollment.ts";

export type WebauthnEnrollmentInput = { lifetimeMs: number };

export type WebauthnEnrollmentEvent =
  | FinishingEvent
  | { type: "RESTART" }
  | { type: "CREDENTIAL_REJECTED" }
  | ({ type: "CREDENTIAL_ACCEPTED" } & Acceptance);

type Context = EnrollmentContext & { rejected: number };

/**
 * Registers a security key or passkey. The device counts only after its authenticator has made a
 * credential for this set-up. A restart asks for another credential; it does not extend the
 * enrollment.
 */
export const webauthnEnrollmentMachine = setup({
  types: {} as {
    context: Context;
    events: WebauthnEnrollmentEvent;
    input: WebauthnEnrollmentInput;
  },
  actions: { settleDevice: () => {}, removeDevice: () => {}, dropDevice: () => {} },
  delays: { enrollmentLifetime: ({ context }) => context.lifetimeMs },
}).createMachine({
  id: "webauthnEnrollment",
  context: ({ input }) => ({ ...input, rejected: 0, makeDefault: true, signOut: true }),
  initial: "unverified",
  states: {
    unverified: {
      initial: "awaiting_credential",
      after: { enrollmentLifetime: "dropping" },
      on: {
        REMOVE: { target: "removing", actions: assign({ origin: ({ event }) => event.origin }) },
      },
      states: {
        awaiting_credential: {
          on: {
            RESTART: { actions: assign({ rejected: 0 }) },
            CREDENTIAL_REJECTED: {
              actions: assign({ rejected: ({ context }) => context.rejected + 1 }),
            },
            CREDENTIAL_ACCEPTED: {
              target: "#webauthnEnrollment.verifying",
              actions: assign(({ event }) => accepted(event)),
            },
          },
        },
      },
    },
    ...finishingStates,
  },
});
