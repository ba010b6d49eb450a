import type { Mutation } from "./mutation.ts";

/** The rules in the machines. */
export const flowsMutations: Mutation[] = [
  {
    mistake: "a resend extends the challenge",
    file: "machines/login-challenge.ts",
    find: 'RESEND: { guard: "bySms", target: "sending_passcode" },',
    replace: 'RESEND: { guard: "bySms", target: "#loginChallenge.open", reenter: true },',
    noticedBy: ["test/machines/login-challenge.test.ts"],
  },
  {
    mistake: "a challenge accepts a method that the user does not have",
    file: "machines/login-challenge.ts",
    find: " &&\n      context.methods.includes(event.method),",
    replace: ",",
    noticedBy: ["test/machines/login-challenge.test.ts"],
  },
  {
    mistake: "a delivery report about an older message changes the newest one",
    file: "machines/delivery.ts",
    find: "event.sending !== sendings || ",
    replace: "",
    noticedBy: ["test/machines/login-challenge.test.ts", "test/machines/sms-enrollment.test.ts"],
  },
  {
    mistake: "a phone is verified by a PIN that has expired",
    file: "machines/sms-enrollment.ts",
    find: 'after: { pinLifetime: "pin_expired" },',
    replace: "",
    noticedBy: ["test/machines/sms-enrollment.test.ts"],
  },
  {
    mistake:
      "users are reminded although the grace period is shorter than the time of the reminder",
    file: "machines/policy-rollout.ts",
    find: "beforeFirstReminder: ({ context }) => daysBeforeEnd(context, FIRST_REMINDER_DAYS) > 0,",
    replace: "beforeFirstReminder: () => true,",
    noticedBy: ["test/machines/policy-rollout.test.ts"],
  },
  {
    mistake: "a policy with a grace period applies at once",
    file: "machines/policy-rollout.ts",
    find: '{ guard: "hasGrace", target: "grace_period" },',
    replace: "",
    noticedBy: ["test/machines/policy-rollout.test.ts"],
  },
  {
    mistake: "a delivery that the receiver accepted is sent again",
    file: "machines/webhook-delivery.ts",
    find: 'EVENT_TAKEN: { target: "delivered", actions: "noteOutcome" },',
    replace: 'EVENT_TAKEN: { target: "waiting", actions: "noteOutcome" },',
    noticedBy: ["test/machines/webhook-delivery.test.ts"],
  },
  {
    mistake: "a delivery gets one try too many",
    file: "machines/webhook-delivery.ts",
    find: "context.attempts <= context.retriesMs.length",
    replace: "context.attempts <= context.retriesMs.length + 1",
    noticedBy: ["test/machines/every-chart.test.ts", "test/workflows/webhook-delivery.test.ts"],
  },
];
