import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  SnapshotFrom,
} from "xstate";
import { begin, type Place, take, takes } from "./machine-walk.ts";

export type PathRules<M extends AnyStateMachine> = {
  /** What the outside can bring about, with the deadlines among them. */
  events: EventFromLogic<M>[];
  /** What never happens there, though the machine would take it: a message is never days on its way. */
  happens(snapshot: SnapshotFrom<M>, event: EventFromLogic<M>): boolean;
  /** What tells one place from another. */
  keyOf(snapshot: SnapshotFrom<M>): string;
  /** Places that are no more than on the way to others; without it none. */
  passes?(snapshot: SnapshotFrom<M>): boolean;
  /** How many events a simple path has at most; without it, any number. */
  longest?: number;
};

/** How far it goes: a shortest path to each place, or every simple path, which visits no place twice. */
export type Form = "shortest" | "simple";

/**
 * The paths through a machine from these beginnings, in that form. None ends where the machine is
 * still settling.
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
    ({ place: { snapshot } }) => !settles(snapshot) && !passes(snapshot),
  );
}

/** A place, and what the way to it began with. */
export type Begun<M extends AnyStateMachine> = { input: InputFrom<M>; place: Place<M> };

/** Whether the machine only waits for its own effect. */
export const settles = (snapshot: unknown) => (snapshot as AnyMachineSnapshot).hasTag("settling");

/** The places on the way to one, the start first. */
export function wayTo<M extends AnyStateMachine>(place: Place<M>): Place<M>[] {
  return place.from ? [...wayTo(place.from), place] : [place];
}
