import { assign, setup } from "xstate";

export type WebhookDeliveryInput = {
  /** How long to wait before each further attempt, in ms. */
  retriesMs: readonly number[];
  /** Attempts of an earlier delivery of the same event, if it is sent again. */
  attemptsBefore: number;
};

/** The result of an attempt: an HTTP status, or a word that never changes. */
export type Outcome = string;

export type WebhookDeliveryEvent =
  | { type: "EVENT_TAKEN"; outcome: Outcome }
  | { type: "ATTEMPT_FAILED"; outcome: Outcome }
  /** The receiver wants no more events. */
  | { type: "WEBHOOK_REFUSED"; outcome: Outcome }
  /** The webhook was removed or disabled in the meantime. */
  | { type: "WEBHOOK_GONE" }
  | { type: "RESEND" };

type Context = WebhookDeliveryInput & { attempts: number; outcome?: Outcome };

/**
 * One event on its way to one webhook. It is tried at once, then after longer and longer waits,
 * until the receiver accepts it or wants no more events, or no attempts are left. A resend ends a
 * wait at once.
 */
export const webhookDeliveryMachine = setup({
  types: {} as { context: Context; events: WebhookDeliveryEvent; input: WebhookDeliveryInput },
  actions: {
    sendEvent: () => {},
    noteDelivery: () => {},
    giveUp: () => {},
    noteOutcome: assign(({ event }) => ("outcome" in event ? { outcome: event.outcome } : {})),
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
  },
  guards: {
    attemptsLeft: ({ context }) => context.attempts <= context.retriesMs.length,
  },
  delays: {
    // After the first attempt comes the first wait.
    retryDelay: ({ context }) => context.retriesMs[context.attempts - 1] ?? 0,
  },
}).createMachine({
  id: "webhookDelivery",
  context: ({ input }) => ({ ...input, attempts: 0 }),
  initial: "attempting",
  states: {
    attempting: {
      tags: "working",
      entry: ["countAttempt", "sendEvent"],
      on: {
        EVENT_TAKEN: { target: "delivered", actions: "noteOutcome" },
        ATTEMPT_FAILED: [
          { guard: "attemptsLeft", target: "waiting", actions: "noteOutcome" },
          { target: "failed", actions: "noteOutcome" },
        ],
        WEBHOOK_REFUSED: { target: "failed", actions: "noteOutcome" },
        WEBHOOK_GONE: "canceled",
      },
    },
    waiting: {
      entry: "noteDelivery",
      after: { retryDelay: "attempting" },
      on: { RESEND: "attempting" },
    },
    delivered: { type: "final", entry: "noteDelivery" },
    failed: { type: "final", entry: "giveUp" },
    canceled: { type: "final", entry: "noteDelivery" },
  },
});
