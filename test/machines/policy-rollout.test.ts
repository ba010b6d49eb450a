import { describe, expect, test } from "vitest";
import { type PolicyRolloutEvent, policyRolloutMachine } from "../../machines/policy-rollout.ts";
import { DAY_MS } from "../../units.ts";
import { follow, takes } from "../support/machine-walk.ts";
import { announce, grace, policyRollout } from "./charts.ts";

const { moves } = policyRollout;

/** The place after a policy change was announced and persisted. */
const persisted = (policy: Parameters<typeof announce>[0]) =>
  follow(policyRolloutMachine, {}, [announce(policy), { type: "POLICY_PERSISTED" }]);

test("an announcement that never comes leaves nothing behind", () => {
  for (const { from, snapshot, effects, path } of moves)
    if (snapshot.matches("abandoned")) {
      expect(from.snapshot.matches("drafted"), path).toBe(true);
      expect(effects, path).toEqual([]);
    }
});

test("enforces only what was persisted as required", () => {
  for (const { from, snapshot, event, effects, path } of moves) {
    expect(effects.includes("enforcePolicy"), path).toBe(snapshot.matches("enforcing"));
    if (!snapshot.matches("enforcing")) continue;
    expect(snapshot.context.change?.requirement, path).not.toBe("optional");
    expect(event.type === "POLICY_PERSISTED" || from.snapshot.matches("grace_period"), path).toBe(
      true,
    );
  }
});

test("is completed only by a count of no users left", () => {
  for (const { snapshot, event, path } of moves)
    if (snapshot.matches("completed")) {
      expect(event, path).toMatchObject({ type: "USERS_COUNTED", toGo: 0 });
      expect(snapshot.context.toGo, path).toBe(0);
    }
});

test("is canceled by an optional policy, and superseded by another requirement", () => {
  const ends = moves.filter(({ event: { type } }) => type === "SUPERSEDE" || type === "OVERTAKEN");
  expect(ends).not.toEqual([]);
  for (const { event, snapshot, path } of ends)
    expect(snapshot.value, path).toBe(
      "requirement" in event && event.requirement === "optional" ? "canceled" : "superseded",
    );
});

describe("the grace period", () => {
  test("two weeks: reminders three days and one day before the end", () => {
    const place = persisted(grace(14));
    expect(place.timers).toEqual({
      gracePeriod: 14 * DAY_MS,
      firstReminder: 11 * DAY_MS,
      lastReminder: 13 * DAY_MS,
    });
  });

  test.each([
    [14, [3, 1]],
    [2, [1]],
    [1, []],
    [0.5, []],
  ] as const)("%s days: reminders %j days before the end", (days, expected) => {
    const reminded = (["firstReminder", "lastReminder"] as const).flatMap((delay) => {
      const due = { type: `xstate.after.${delay}.policyRollout.grace_period` };
      const place = persisted(grace(days));
      if (!takes(place, due)) return [];
      const path = [announce(grace(days)), { type: "POLICY_PERSISTED" }, due];
      const after = follow(policyRolloutMachine, {}, path as PolicyRolloutEvent[]);
      expect(after.effects).toEqual(["remindUsers"]);
      expect(after.snapshot.matches("grace_period")).toBe(true);
      return [after.snapshot.context.remindedDaysBefore];
    });
    expect(reminded).toEqual(expected);
  });

  test("a reminder extends no deadline", () => {
    const reminders = moves.filter(({ effects }) => effects.includes("remindUsers"));
    expect(reminders).not.toEqual([]);
    for (const { touched, path } of reminders) expect(touched, path).toEqual([]);
  });
});
