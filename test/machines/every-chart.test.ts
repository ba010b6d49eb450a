import { describe, expect, test } from "vitest";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { stateOf, takes } from "../support/machine-walk.ts";
import { type Chart, charts } from "./charts.ts";

const everyChart = Object.entries(charts) as unknown as [string, Chart<AnyStateMachine>][];

describe.each(everyChart)("%s", (_name, chart) => {
  const { machine, starts, places, moves, events, requests, deadlines, next } = chart;

  test("reaches all its states", () => {
    expect(new Set(places.map(stateOf))).toEqual(new Set(restingStates(machine.root)));
  });

  test("accepts nothing in a final state, and runs no deadline there", () => {
    for (const place of places.filter(({ snapshot }) => snapshot.status === "done")) {
      expect(place.timers, place.path).toEqual({});
      expect(
        events.filter((event) => takes(place, event)),
        place.path,
      ).toEqual([]);
    }
  });

  test("accepts no request while callers wait", () => {
    for (const place of places.filter(({ snapshot }) => snapshot.hasTag("callers_wait"))) {
      const taken = events.filter((event) => takes(place, event)).map(({ type }) => type);
      expect(
        taken.filter((type) => requests.includes(type)),
        place.path,
      ).toEqual([]);
    }
  });

  test("accepts each request in some state", () => {
    const taken = new Set(moves.map(({ event }) => event.type));
    expect(requests.filter((type) => !taken.has(type))).toEqual([]);
  });

  test("runs the deadlines of the phases it is in, and no others", () => {
    for (const { snapshot, timers, path } of [...starts, ...moves]) {
      const due = Object.entries(deadlines).filter(([, { state }]) => snapshot.matches(state));
      const expected = Object.fromEntries(due.map(([delay, { ms }]) => [delay, ms]));
      expect(timers, path).toEqual(expected);
    }
  });

  test("restarts no deadline within its phase", () => {
    for (const { from, snapshot, touched, path } of moves)
      for (const [delay, { state }] of Object.entries(deadlines))
        if (from.snapshot.matches(state) && snapshot.matches(state))
          expect(touched, path).not.toContain(delay);
  });

  test("is never stuck: a deadline or an effect moves it on from every state that is not final", () => {
    for (const { snapshot, timers, path } of places)
      expect(
        snapshot.status === "done" ||
          // An effect runs, and its outcome will move the machine on.
          snapshot.hasTag("callers_wait") ||
          snapshot.hasTag("working") ||
          Object.keys(timers).length > 0,
        path,
      ).toBe(true);
  });

  test("uses exactly the effects that its workflow can run", () => {
    const asked = [...starts, ...moves].flatMap(({ effects }) => effects);
    expect(new Set(asked)).toEqual(new Set(chart.effects));
  });

  test("names as next exactly what it accepts", () => {
    for (const place of places) {
      const { state, next: named } = chart.view(place.snapshot);
      const taken = events.filter((event) => takes(place, event)).map(({ type }) => type);
      const offered = (name: string) => chart.nextOnlyIf?.[name]?.(place.snapshot) ?? true;
      const expected = Object.keys(next).filter(
        (name) => taken.includes(next[name]) && offered(name),
      );
      expect(named, place.path).toEqual(chart.nextInstead?.[state] ?? expected);
    }
  });

  test("shows the state it is in", () => {
    for (const place of places)
      expect(chart.view(place.snapshot).state, place.path).toBe(stateOf(place));
  });
});

/** The innermost states in which a machine can rest. */
function restingStates(node: AnyStateNode): string[] {
  const children = Object.values(node.states);
  if (children.length === 0) return node.always ? [] : [node.key];
  return children.flatMap(restingStates);
}
