import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from "xstate";
import { getShortestPaths } from "xstate/graph";

type Action = { type: string; params?: unknown };
/** The running timers: each delay's name with its length in ms. */
type Timers = Readonly<Record<string, number>>;

/** A reachable snapshot. `path` says how it was reached, for the message of a failed test. */
export type Place<M extends AnyStateMachine> = {
  path: string;
  /** The previous place; undefined at the start. */
  from?: Place<M>;
  snapshot: SnapshotFrom<M>;
  timers: Timers;
  /** Names of the effects that the machine asked for on entering. */
  effects: string[];
};

/** One event that a reachable snapshot accepts, and where it leads. */
export type Move<M extends AnyStateMachine> = Place<M> & {
  from: Place<M>;
  event: EventFromLogic<M>;
  /** Timers that this move started or stopped. */
  touched: string[];
};

/**
 * Every snapshot that these events can reach, each by a shortest path, and every move between them.
 * `deadlines` are the ids after `xstate.after.`. `stopWhen` ends the search where a counter in the
 * context would never end it.
 */
export function walk<M extends AnyStateMachine>(
  machine: M,
  input: InputFrom<M>,
  {
    events,
    deadlines,
    stopWhen,
  }: {
    events: EventFromLogic<M>[];
    deadlines: string[];
    stopWhen?: (snapshot: SnapshotFrom<M>) => boolean;
  },
): { start: Place<M>; places: Place<M>[]; moves: Move<M>[] } {
  const timeouts = deadlines.map((id) => ({ type: `xstate.after.${id}` }) as EventFromLogic<M>);
  const alphabet = [...events, ...timeouts];
  const paths = getShortestPaths(machine as AnyStateMachine, {
    input,
    events: alphabet,
    stopWhen: stopWhen as ((snapshot: unknown) => boolean) | undefined,
  });
  // The first step of a path is the start of the machine, not an event.
  const places = paths.map(({ steps }) =>
    follow(
      machine,
      input,
      steps.slice(1).map(({ event }) => event as EventFromLogic<M>),
    ),
  );
  const moves = places.flatMap((from) =>
    alphabet.filter((event) => takes(from, event)).map((event) => take(machine, from, event)),
  );
  return { start: begin(machine, input), places, moves };
}

/** The place after these events, each of which the machine must take. */
export function follow<M extends AnyStateMachine>(
  machine: M,
  input: InputFrom<M>,
  events: EventFromLogic<M>[],
): Place<M> {
  return events.reduce<Place<M>>(
    (place, event) => take(machine, place, event),
    begin(machine, input),
  );
}

/** Where the machine begins. */
export function begin<M extends AnyStateMachine>(machine: M, input: InputFrom<M>): Place<M> {
  const [snapshot, actions] = initialTransition<AnyStateMachine>(machine, input);
  return {
    path: JSON.stringify(input),
    snapshot: snapshot as SnapshotFrom<M>,
    ...read(actions, {}),
  };
}

/** The place after one event: the same snapshot if the machine does not take the event. */
export function take<M extends AnyStateMachine>(
  machine: M,
  from: Place<M>,
  event: EventFromLogic<M>,
): Move<M> {
  const [snapshot, actions] = transition<AnyStateMachine>(machine, from.snapshot, event);
  const path = `${from.path} > ${JSON.stringify(event)}`;
  return {
    path,
    from,
    event,
    snapshot: snapshot as SnapshotFrom<M>,
    ...read(actions, from.timers),
  };
}

function read(actions: Action[], before: Timers) {
  const timers: Record<string, number> = { ...before };
  const touched: string[] = [];
  const effects: string[] = [];
  for (const { type, params } of actions) {
    const { id, sendId, delay } = (params ?? {}) as { id: string; sendId: string; delay: number };
    if (type === "xstate.raise") timers[timerName(id)] = delay;
    else if (type === "xstate.cancel") delete timers[timerName(sendId)];
    else effects.push(type);
    if (id ?? sendId) touched.push(timerName(id ?? sendId));
  }
  return { timers, touched, effects };
}

const timerName = (id: string) => id.split(".")[2] as string;

/** Whether the machine changes state or context on this event. */
export function takes(place: { snapshot: unknown }, event: { type: string }): boolean {
  return (place.snapshot as AnyMachineSnapshot).can(event);
}

/** The innermost state. */
export function stateOf({ snapshot }: { snapshot: { value: unknown } }): string {
  const inner = (value: unknown): string =>
    typeof value === "string" ? value : inner(Object.values(value as object)[0]);
  return inner(snapshot.value);
}
