import { expect } from "vitest";
import type { AnyStateMachine, EventFromLogic, SnapshotFrom } from "xstate";
import type { ProblemCode } from "../../../core/problem.ts";
import type { Answer } from "../../support/client.ts";
import type { Move, Place } from "../../support/machine-walk.ts";
import { settles, wayTo } from "../../support/paths.ts";
import { expectProblem } from "../../support/problems.ts";
import { until } from "../../support/until.ts";

/** A request that is illegal where it is sent, and the code that refuses it. */
export type Illegal = { request: string; send(): Promise<Answer<unknown>>; code: ProblemCode };

/** One flow that is driven over HTTP, in step with its machine. */
export type Driven<M extends AnyStateMachine> = {
  /** Brings the event about, and those that then follow before the flow can be looked at. */
  move(
    event: EventFromLogic<M>,
    from: SnapshotFrom<M>,
    to: SnapshotFrom<M>,
    then: EventFromLogic<M>[],
  ): Promise<void>;
  /** Whether a place is over before anybody can look at it, where this comes next; else none is. */
  fleeting?(snapshot: SnapshotFrom<M>, next: EventFromLogic<M> | undefined): boolean;
  /** What the API shows of the flow. */
  shown(): Promise<unknown>;
  /** What it must show there, by the machine. */
  expected(snapshot: SnapshotFrom<M>): unknown;
  illegal(snapshot: SnapshotFrom<M>): Promise<Illegal[]>;
  /** All that an illegal request may not change. */
  traces(): Promise<unknown>;
  end(): Promise<void>;
};

/**
 * Drives a flow along the way to a place, holding the API at each step to what the machine says;
 * there it sends every request that is illegal, each of which is refused and changes nothing.
 * Resolves with their names.
 */
export async function walkTo<M extends AnyStateMachine>(
  place: Place<M>,
  flow: Driven<M>,
): Promise<string[]> {
  const agrees = async ({ snapshot, path }: Place<M>) => {
    const wanted = flow.expected(snapshot);
    const same = (shown: unknown) => JSON.stringify(shown) === JSON.stringify(wanted);
    const shown = await until(flow.shown, same).catch(() => flow.shown());
    expect(shown, path).toEqual(wanted);
  };
  try {
    const [start, ...moves] = wayTo(place) as [Place<M>, ...Move<M>[]];
    await agrees(start);
    for (let begun = 0, n = 0; n < moves.length; n++) {
      const [first, to] = [moves[begun], moves[n]] as [Move<M>, Move<M>];
      if (settles(to.snapshot) || flow.fleeting?.(to.snapshot, moves[n + 1]?.event)) continue;
      const then = moves.slice(begun + 1, n + 1).map(({ event }) => event);
      await flow.move(first.event, first.from.snapshot, to.snapshot, then);
      await agrees(to);
      begun = n + 1;
    }
    const illegal = await flow.illegal(place.snapshot);
    const before = await flow.traces();
    for (const { request, send, code } of illegal) {
      expectProblem(await send(), code);
      expect(await flow.traces(), `${place.path}: ${request}`).toEqual(before);
    }
    return illegal.map(({ request }) => request);
  } finally {
    await flow.end();
  }
}
