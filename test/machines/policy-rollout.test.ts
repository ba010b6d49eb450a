import { describe, expect, test } from "vitest";
import {
  type PolicyChange,
  type PolicyRolloutEvent,
  policyRolloutMachine,
} from "../../machines/policy-rollout.ts";
import { rolloutSignals, rolloutUpdates } from "../../workflows/messages.ts";
import { policyRolloutView } from "../../workflows/views.ts";
import { follow, stateOf, takes, walk } from "../support/machine-walk.ts";

const DAY = 86_400_000;
const origin = { ip: "192.0.2.7", userAgent: "test" };

const change = (policy: Partial<PolicyChange> = {}): PolicyChange => ({
  requirement: "required",
  enforceAfter: null,
  graceMs: 0,
  actorId: "a",
  origin,
  ...policy,
});
const announce = (policy: Partial<PolicyChange> = {}) =>
  ({ type: "ANNOUNCE", ...change(policy) }) as const;
const grace = (days: number) => ({ enforceAfter: "2026-02-01T00:00:00Z", graceMs: days * DAY });

const events: PolicyRolloutEvent[] = [
  announce(),
  announce(grace(14)),
  announce({ requirement: "optional" }),
  { type: "POLICY_PERSISTED" },
  { type: "POLICY_CONFLICT" },
  { type: "USERS_COUNTED", toGo: 0 },
  { type: "USERS_COUNTED", toGo: 2 },
  { type: "OVERTAKEN", requirement: "optional" },
  { type: "OVERTAKEN", requirement: "required" },
  { type: "RECOUNT" },
  { type: "SUPERSEDE", requirement: "optional" },
  { type: "SUPERSEDE", requirement: "required" },
];
const deadlines = [
  "draftLifetime.policyRollout.drafted",
  "gracePeriod.policyRollout.grace_period",
  "firstReminder.policyRollout.grace_period",
  "lastReminder.policyRollout.grace_period",
  "recountInterval.policyRollout.enforced",
];
const { start, places, moves } = walk(policyRolloutMachine, undefined, { events, deadlines });
const requests: string[] = [...Object.values(rolloutUpdates), ...Object.values(rolloutSignals)];

/** Where a persisted change of the policy leads. */
const persisted = (policy: Partial<PolicyChange>) =>
  follow(policyRolloutMachine, undefined, [announce(policy), { type: "POLICY_PERSISTED" }]);

test("every state is reached, and in each the view says what is taken", () => {
  expect(new Set(places.map(stateOf))).toEqual(
    new Set(Object.keys(policyRolloutMachine.states).filter((state) => state !== "choosing")),
  );
  const asked = { announce: "ANNOUNCE", recount: "RECOUNT", supersede: "SUPERSEDE" };
  for (const place of places) {
    const { state, next } = policyRolloutView(place.snapshot);
    expect(state, place.path).toBe(stateOf(place));
    const taken = Object.entries(asked).filter(([, type]) =>
      events.some((event) => event.type === type && takes(place, event)),
    );
    expect(next, place.path).toEqual(taken.map(([name]) => name));
  }
});

test("is never stuck, and takes no request while it settles or when it is over", () => {
  for (const place of places) {
    const { snapshot, timers, path } = place;
    const over = snapshot.status === "done";
    if (over) expect(timers, path).toEqual({});
    if (over || snapshot.hasTag("settling"))
      expect(
        events.filter((event) => requests.includes(event.type) && takes(place, event)),
        path,
      ).toEqual([]);
    else expect(Object.keys(timers).length, path).toBeGreaterThan(0);
  }
});

test("an announcement that never comes leaves nothing behind", () => {
  expect(start.timers).toEqual({ draftLifetime: 60_000 });
  for (const { from, snapshot, effects, path } of moves)
    if (snapshot.matches("abandoned")) {
      expect(from.snapshot.matches("drafted"), path).toBe(true);
      expect(effects, path).toEqual([]);
    }
});

test("enforces what was persisted as required, and nothing else", () => {
  for (const { from, snapshot, event, effects, path } of moves) {
    expect(effects.includes("enforcePolicy"), path).toBe(snapshot.matches("enforcing"));
    if (!snapshot.matches("enforcing")) continue;
    expect(snapshot.context.change?.requirement, path).toBe("required");
    expect(event.type === "POLICY_PERSISTED" || from.snapshot.matches("grace_period"), path).toBe(
      true,
    );
  }
});

test("is completed only by a count of nobody to go", () => {
  for (const { snapshot, event, path } of moves)
    if (snapshot.matches("completed")) {
      expect(event, path).toMatchObject({ type: "USERS_COUNTED", toGo: 0 });
      expect(snapshot.context.toGo, path).toBe(0);
    }
});

test("ends as canceled by an optional policy, as superseded by another requirement", () => {
  const ends = moves.filter(({ event: { type } }) => type === "SUPERSEDE" || type === "OVERTAKEN");
  expect(ends).not.toEqual([]);
  for (const { event, snapshot, path } of ends)
    expect(snapshot.value, path).toBe(
      "requirement" in event && event.requirement === "optional" ? "canceled" : "superseded",
    );
});

describe("the grace period", () => {
  test("two weeks: reminders three days and one day before their end", () => {
    const place = persisted(grace(14));
    expect(place.timers).toEqual({
      gracePeriod: 14 * DAY,
      firstReminder: 11 * DAY,
      lastReminder: 13 * DAY,
    });
  });

  test.each([
    [14, [3, 1]],
    [2, [1]],
    [1, []],
    [0.5, []],
  ] as const)("%s days remind %j days before", (days, expected) => {
    const reminded = (["firstReminder", "lastReminder"] as const).flatMap((delay) => {
      const due = { type: `xstate.after.${delay}.policyRollout.grace_period` };
      const place = persisted(grace(days));
      if (!takes(place, due)) return [];
      const path = [announce(grace(days)), { type: "POLICY_PERSISTED" }, due];
      const after = follow(policyRolloutMachine, undefined, path as PolicyRolloutEvent[]);
      expect(after.effects).toEqual(["remindUsers"]);
      expect(after.snapshot.matches("grace_period")).toBe(true);
      return [after.snapshot.context.remindedDaysBefore];
    });
    expect(reminded).toEqual(expected);
  });

  test("a reminder extends nothing", () => {
    const reminders = moves.filter(({ effects }) => effects.includes("remindUsers"));
    expect(reminders).not.toEqual([]);
    for (const { touched, path } of reminders) expect(touched, path).toEqual([]);
  });
});
