import { assign, setup } from "xstate";
import { DAY_MS, MINUTE_MS } from "../units.ts";
import type { ClientInfo } from "./methods.ts";

export type Requirement = "optional" | "required" | "phishing_resistant";

/** A change of the account's policy, as an administrator requests it. */
export type PolicyChange = {
  requirement: Requirement;
  /** ISO 8601; null if the change takes effect at once, or makes the factor optional. */
  enforceAfter: string | null;
  /** The time until then, in ms. */
  graceMs: number;
  /** The version with a running roll-out that this one replaces. */
  supersedes?: number;
  actorId: string;
  origin: ClientInfo;
};

/** The users' progress, or that a later change of the policy came first. */
export type ProgressEvent =
  | { type: "USERS_COUNTED"; toGo: number }
  | { type: "OVERTAKEN"; requirement: Requirement };

export type PolicyRolloutEvent =
  | ProgressEvent
  | ({ type: "ANNOUNCE" } & PolicyChange)
  | { type: "POLICY_PERSISTED" }
  | { type: "POLICY_CONFLICT" }
  | { type: "RECOUNT" }
  | { type: "SUPERSEDE"; requirement: Requirement };

type Context = {
  change?: PolicyChange;
  /** Users who lack what is required, at the last count. */
  toGo?: number;
  /** How many days before the end users were last reminded. */
  remindedDaysBefore?: number;
};

const FIRST_REMINDER_DAYS = 3;
const LAST_REMINDER_DAYS = 1;

const graceOf = ({ change }: Context) => change?.graceMs ?? 0;
/** Zero if the grace period is shorter than that. The reminders' guards then do nothing. */
const daysBeforeEnd = (context: Context, days: number) =>
  Math.max(0, graceOf(context) - days * DAY_MS);

const counted = [
  { guard: "nobodyToGo", target: "completed", actions: "noteProgress" },
  { target: "enforced", actions: "noteProgress" },
] as const;

const overtaken = [{ guard: "byOptional", target: "canceled" }, { target: "superseded" }] as const;

/**
 * Rolls out one version of an account's policy, from its announcement until it applies to everybody
 * or another version replaces it. If everybody is set up before the grace period ends it continues,
 * because users may still be added.
 */
export const policyRolloutMachine = setup({
  types: {} as { context: Context; events: PolicyRolloutEvent },
  actions: {
    persistPolicy: () => {},
    remindUsers: () => {},
    enforcePolicy: () => {},
    countUsers: () => {},
    noteChange: assign(({ event: { type, ...change } }) =>
      type === "ANNOUNCE" ? { change: change as PolicyChange } : {},
    ),
    noteProgress: assign(({ event }) =>
      event.type === "USERS_COUNTED" ? { toGo: event.toGo } : {},
    ),
  },
  guards: {
    isOptional: ({ context }) => context.change?.requirement === "optional",
    hasGrace: ({ context }) => graceOf(context) > 0,
    beforeFirstReminder: ({ context }) => daysBeforeEnd(context, FIRST_REMINDER_DAYS) > 0,
    beforeLastReminder: ({ context }) => daysBeforeEnd(context, LAST_REMINDER_DAYS) > 0,
    nobodyToGo: ({ event }) => event.type === "USERS_COUNTED" && event.toGo === 0,
    byOptional: ({ event }) =>
      (event.type === "SUPERSEDE" || event.type === "OVERTAKEN") &&
      event.requirement === "optional",
  },
  delays: {
    // The announcing Update follows the start at once. If the gateway dies in between, it never
    // comes.
    draftLifetime: MINUTE_MS,
    gracePeriod: ({ context }) => graceOf(context),
    firstReminder: ({ context }) => daysBeforeEnd(context, FIRST_REMINDER_DAYS),
    lastReminder: ({ context }) => daysBeforeEnd(context, LAST_REMINDER_DAYS),
    recountInterval: DAY_MS,
  },
}).createMachine({
  id: "policyRollout",
  context: {},
  initial: "drafted",
  states: {
    drafted: {
      after: { draftLifetime: "abandoned" },
      on: { ANNOUNCE: { target: "persisting", actions: "noteChange" } },
    },
    persisting: {
      tags: "callers_wait",
      entry: "persistPolicy",
      on: { POLICY_PERSISTED: "choosing", POLICY_CONFLICT: "conflicted" },
    },
    choosing: {
      always: [
        { guard: "isOptional", target: "optional" },
        { guard: "hasGrace", target: "grace_period" },
        { target: "enforcing" },
      ],
    },
    grace_period: {
      after: {
        gracePeriod: "enforcing",
        firstReminder: {
          guard: "beforeFirstReminder",
          actions: [assign({ remindedDaysBefore: FIRST_REMINDER_DAYS }), "remindUsers"],
        },
        lastReminder: {
          guard: "beforeLastReminder",
          actions: [assign({ remindedDaysBefore: LAST_REMINDER_DAYS }), "remindUsers"],
        },
      },
      on: { SUPERSEDE: overtaken },
    },
    enforcing: {
      tags: "callers_wait",
      entry: "enforcePolicy",
      on: { USERS_COUNTED: counted, OVERTAKEN: overtaken },
    },
    enforced: {
      after: { recountInterval: "counting" },
      on: { RECOUNT: "counting", SUPERSEDE: overtaken },
    },
    counting: {
      tags: "callers_wait",
      entry: "countUsers",
      on: { USERS_COUNTED: counted, OVERTAKEN: overtaken },
    },
    optional: { type: "final" },
    completed: { type: "final" },
    superseded: { type: "final" },
    canceled: { type: "final" },
    conflicted: { type: "final" },
    abandoned: { type: "final" },
  },
});
