import { expect } from "vitest";
import type { AnyStateMachine, EventFromLogic, SnapshotFrom } from "xstate";
import type { ProblemCode } from "../../../core/problem.ts";
import type { Answer } from "../../support/client.ts";
import type { Move, Place } from "../../support/machine-walk.ts";
import { callersWait, wayTo } from "../../support/paths.ts";
import { expectProblem } from "../../support/problems.ts";
import { until } from "../../support/until.ts";

/** A request that is illegal at this place, and the problem code that refuses it. */
export type Illegal = { request: string; send(): Promise<Answer<unknown>>; code: ProblemCode };

/** A flow that is driven over HTTP, in step with its machine. */
export type Driven<M extends AnyStateMachine> = {
  /** Causes the event, and the events in `then`, which follow before the flow can be read. */
  move(
    event: EventFromLogic<M>,
    from: SnapshotFrom<M>,
    to: SnapshotFrom<M>,
    then: EventFromLogic<M>[],
  ): Promise<void>;
  /** Whether the place ends before anybody can read it, if `next` follows. Default: never. */
  fleeting?(snapshot: SnapshotFrom<M>, next: EventFromLogic<M> | undefined): boolean;
  /** What the API shows about the flow. */
  shown(): Promise<unknown>;
  /** What the API must show at this snapshot of the machine. */
  expected(snapshot: SnapshotFrom<M>): unknown;
  illegal(snapshot: SnapshotFrom<M>): Promise<Illegal[]>;
  /** Everything that an illegal request must not change. */
  traces(): Promise<unknown>;
  end(): Promise<void>;
};

/**
 * Drives a flow to a place and expects at each step that the API shows what the machine says. At
 * the place it sends every illegal request; each must be refused and change nothing. Resolves with
 * the names of these requests.
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
      if (callersWait(to.snapshot) || flow.fleeting?.(to.snapshot, moves[n + 1]?.event)) continue;
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
