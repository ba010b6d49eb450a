import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { follow, stateOf, take } from "../support/machine-walk.ts";
import { type Chart, charts } from "./charts.ts";

const everyChart = Object.entries(charts) as unknown as [string, Chart<AnyStateMachine>][];

describe.each(everyChart)("%s, driven by any events in any order", (_name, chart) => {
  const { machine, inputs, events, deadlines } = chart;
  const walks = fc
    .tuple(
      fc.constantFrom(...inputs),
      fc.array(fc.constantFrom(...(events as EventObject[])), { maxLength: 40 }),
    )
    .map(([input, chosen]) => {
      const places = [follow(machine, input, [])];
      for (const event of chosen) {
        const from = places.at(-1);
        if (from) places.push(take(machine, from, event));
      }
      return places;
    });

  test("what has ended does not change, and runs no deadline", () => {
    fc.assert(
      fc.property(walks, (places) => {
        const end = places.findIndex(({ snapshot }) => isDone(snapshot));
        if (end < 0) return;
        for (const place of places.slice(end)) {
          expect(place.snapshot.value).toEqual(places[end]?.snapshot.value);
          expect(place.snapshot.context).toEqual(places[end]?.snapshot.context);
          expect(place.timers).toEqual({});
        }
      }),
    );
  });

  test("a running deadline is never restarted within its phase", () => {
    fc.assert(
      fc.property(walks, (places) => {
        for (const [delay, { state }] of Object.entries(deadlines))
          for (const [at, place] of places.entries()) {
            const before = places[at - 1];
            if (before?.snapshot.matches(state) && place.snapshot.matches(state))
              expect("touched" in place ? place.touched : [], place.path).not.toContain(delay);
          }
      }),
    );
  });

  test("every state is a known one", () => {
    const known = new Set(chart.places.map(stateOf));
    fc.assert(
      fc.property(walks, (places) => {
        for (const place of places) expect(known, place.path).toContain(stateOf(place));
      }),
    );
  });
});

test("failures never decrease within a challenge, and no resend forgets one", () => {
  const { machine, inputs, events } = charts.loginChallenge;
  const counted = fc.tuple(
    fc.constantFrom(...inputs),
    fc.array(fc.constantFrom(...(events as EventObject[])), { maxLength: 40 }),
  );
  fc.assert(
    fc.property(counted, ([input, chosen]) => {
      let place = follow(machine, input, []);
      let failures = 0;
      for (const event of chosen) {
        // The store's counter only grows, so each rejection reports one failure more.
        const numbered =
          event.type === "PASSCODE_REJECTED" ? { ...event, failures: failures + 1 } : event;
        const next = take(machine, place, numbered as never);
        expect(next.snapshot.context.failures, next.path).toBeGreaterThanOrEqual(failures);
        failures = next.snapshot.context.failures;
        place = next;
      }
    }),
  );
});

const isDone = (snapshot: unknown) => (snapshot as AnyMachineSnapshot).status === "done";
