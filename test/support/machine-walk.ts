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
/** The timers that run, by the delay's name, with their ms. */
type Timers = Readonly<Record<string, number>>;

/** A reachable snapshot; `path` says how, for the message of a failed expectation. */
export type Place<M extends AnyStateMachine> = {
  path: string;
  /** The place before; none at the start. */
  from?: Place<M>;
  snapshot: SnapshotFrom<M>;
  timers: Timers;
  /** What was asked for on entering: names of effects. */
  effects: string[];
};

/** One event that a reachable snapshot takes. */
export type Move<M extends AnyStateMachine> = Place<M> & {
  from: Place<M>;
  event: EventFromLogic<M>;
  /** Timers begun or ended by this very move. */
  touched: string[];
};

/**
 * Every snapshot that these events can lead to, each by a shortest path, and every move between
 * them. Deadlines are the ids behind `xstate.after.`; `stopWhen` bounds a context that counts.
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
  // The first step of a path is the entry into the machine itself.
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

/** Where these events lead, each of them taken. */
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

/** Where one event leads; to the same place where the machine does not take it. */
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

/** Whether the machine moves, or notes something, on this event. */
export function takes(place: { snapshot: unknown }, event: { type: string }): boolean {
  return (place.snapshot as AnyMachineSnapshot).can(event);
}

/** The innermost state. */
export function stateOf({ snapshot }: { snapshot: { value: unknown } }): string {
  const inner = (value: unknown): string =>
    typeof value === "string" ? value : inner(Object.values(value as object)[0]);
  return inner(snapshot.value);
}
