import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  SnapshotFrom,
} from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import { follow, type Place } from "./machine-walk.ts";

export type PathRules<M extends AnyStateMachine> = {
  /** What the outside can bring about, with the deadlines among them. */
  events: EventFromLogic<M>[];
  /** What never happens there, though the machine would take it: a message is never days on its way. */
  happens(snapshot: SnapshotFrom<M>, event: EventFromLogic<M>): boolean;
  /** What tells one place from another. */
  keyOf(snapshot: SnapshotFrom<M>): string;
};

/**
 * The paths through a machine: to each of its places a shortest one, or every one that visits no
 * place twice, up to so many events. None ends where the machine is still settling.
 */
export function pathsOf<M extends AnyStateMachine>(
  machine: M,
  input: InputFrom<M>,
  { events, happens, keyOf }: PathRules<M>,
  kind: "shortest" | "simple",
  longest = Number.POSITIVE_INFINITY,
): Place<M>[] {
  const find = kind === "shortest" ? getShortestPaths : getSimplePaths;
  const paths = find(
    machine as AnyStateMachine,
    {
      input,
      events,
      filterEvents: (snapshot: SnapshotFrom<M>, event: EventFromLogic<M>) =>
        happens(snapshot, event),
      serializeState: (snapshot: unknown) => keyOf(snapshot as SnapshotFrom<M>),
    } as never,
  );
  return (
    paths
      // The first step of a path is the entry into the machine itself.
      .map(({ steps }) => steps.slice(1).map(({ event }) => event as EventFromLogic<M>))
      .filter(({ length }) => length <= longest)
      .map((steps) => follow(machine, input, steps))
      .filter(({ snapshot }) => !settles(snapshot))
  );
}

/** Whether the machine only waits for its own effect. */
export const settles = (snapshot: unknown) => (snapshot as AnyMachineSnapshot).hasTag("settling");

/** The places on the way to one, the start first. */
export function wayTo<M extends AnyStateMachine>(place: Place<M>): Place<M>[] {
  return place.from ? [...wayTo(place.from), place] : [place];
}
