import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  SnapshotFrom,
} from "xstate";
import { begin, type Place, take, takes } from "./machine-walk.ts";

export type PathRules<M extends AnyStateMachine> = {
  /** Every event from outside, and the machine's deadlines. */
  events: EventFromLogic<M>[];
  /** False for an event that the machine would take there but that never happens in the world. */
  happens(snapshot: SnapshotFrom<M>, event: EventFromLogic<M>): boolean;
  /** The key of a place: two snapshots with the same key are the same place. */
  keyOf(snapshot: SnapshotFrom<M>): string;
  /** Places that a path only passes through and does not end at. Default: none. */
  passes?(snapshot: SnapshotFrom<M>): boolean;
  /** The most events in a simple path. Default: no limit. */
  longest?: number;
};

/** A shortest path to each place, or every simple path (one that visits no place twice). */
export type Form = "shortest" | "simple";

/**
 * The paths through a machine from these inputs, in this form. No path ends at a place that
 * `passes` names.
 */
export function pathsOf<M extends AnyStateMachine>(
  machine: M,
  inputs: InputFrom<M>[],
  rules: PathRules<M>,
  form: Form,
): Begun<M>[] {
  const {
    events,
    happens,
    keyOf,
    passes = () => false,
    longest = Number.POSITIVE_INFINITY,
  } = rules;
  const starts = inputs.map((input) => ({ input, place: begin(machine, input) }));
  const next = ({ input, place }: Begun<M>): Begun<M>[] =>
    events
      .filter((event) => happens(place.snapshot, event) && takes(place, event))
      .map((event) => ({ input, place: take(machine, place, event) }));

  const shortest = () => {
    const reached = new Set<string>();
    const first = (found: Begun<M>[]) =>
      found.filter(({ place: { snapshot } }) => {
        const key = keyOf(snapshot);
        return !reached.has(key) && reached.add(key);
      });
    const breadth = (found: Begun<M>[]): Begun<M>[] =>
      found.length === 0 ? [] : [...found, ...breadth(first(found.flatMap(next)))];
    return breadth(first(starts));
  };

  const simple = () => {
    const depth = (from: Begun<M>, visited: string[]): Begun<M>[] => {
      const keys = [...visited, keyOf(from.place.snapshot)];
      if (keys.length > longest) return [from];
      const onward = next(from).filter(({ place }) => !keys.includes(keyOf(place.snapshot)));
      return [from, ...onward.flatMap((each) => depth(each, keys))];
    };
    return starts.flatMap((start) => depth(start, []));
  };

  return (form === "shortest" ? shortest() : simple()).filter(
    ({ place: { snapshot } }) => !callersWait(snapshot) && !passes(snapshot),
  );
}

/** A place, and what the way to it began with. */
export type Begun<M extends AnyStateMachine> = { input: InputFrom<M>; place: Place<M> };

/** Whether the machine only waits for its own effect. */
export const callersWait = (snapshot: unknown) =>
  (snapshot as AnyMachineSnapshot).hasTag("callers_wait");

/** The places on the way to one, the start first. */
export function wayTo<M extends AnyStateMachine>(place: Place<M>): Place<M>[] {
  return place.from ? [...wayTo(place.from), place] : [place];
}
