import { assign, setup } from "xstate";

export type WebhookDeliveryInput = {
  /** How long to wait before each further attempt, in ms. */
  retriesMs: readonly number[];
  /** Attempts of an earlier delivery of the same event, which is sent again. */
  attemptsBefore: number;
};

/** What an attempt came to: an HTTP status, or a stable word. */
export type Outcome = string;

export type WebhookDeliveryEvent =
  | { type: "EVENT_TAKEN"; outcome: Outcome }
  | { type: "ATTEMPT_FAILED"; outcome: Outcome }
  /** The receiver wants no more events. */
  | { type: "WEBHOOK_REFUSED"; outcome: Outcome }
  /** There is nobody to send to any more: the webhook was removed or disabled meanwhile. */
  | { type: "WEBHOOK_GONE" }
  | { type: "RESEND" };

type Context = WebhookDeliveryInput & { attempts: number; outcome?: Outcome };

/**
 * One event on its way to one webhook: tried at once, then after longer and longer waits, until the
 * receiver takes it, wants no more, or the attempts are used up. A resend cuts a wait short.
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
    // The attempts are counted: after the first comes the first wait.
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
