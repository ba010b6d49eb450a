import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from "xstate";
import { details } from "./details.ts";
import { measureEnd } from "./measure.ts";
import { type PayloadOf, SIGNALS, UPDATES, VIEW } from "./messages.ts";

type Event<M extends AnyStateMachine> = EventFromLogic<M>;
type Payload<M extends AnyStateMachine> = PayloadOf<Event<M>, Event<M>["type"]>;

/** The work that a machine's entry action names. If it returns an event, that is its outcome. */
export type Effect<M extends AnyStateMachine> = (
  snapshot: SnapshotFrom<M>,
) => Promise<Event<M>> | Promise<void>;

/** What callers and operators see of a flow. */
type Visible = { state: string; method?: string };

type Hosting<M extends AnyStateMachine, View extends Visible> = {
  /** The workflow; `messages.ts` lists its Updates and signals. */
  name: keyof typeof UPDATES;
  effects: Record<string, Effect<M>>;
  /** The part of a snapshot that callers and operators see. */
  view: (snapshot: SnapshotFrom<M>) => View;
};

/**
 * Runs a machine inside a workflow until it is done and every handler has answered. Its deadlines
 * become durable timers, and its entry actions run the given effects; any other action is a
 * TypeError. Callers query the view and send events by Updates. An Update that the machine does not
 * accept is refused and leaves no trace. An accepted one is answered once the machine is in a
 * state where callers need not wait.
 */
export async function host<M extends AnyStateMachine, View extends Visible>(
  machine: M,
  input: InputFrom<M>,
  { name, effects, view }: Hosting<M, View>,
): Promise<View> {
  const root = CancellationScope.current();
  const timers = new Map<string, { scope: CancellationScope; due: number }>();
  const running = new Set<CancellationScope>();
  let failure: unknown;
  // A flow may run long after it was started. Its first deadlines count from the start.
  let entered = workflowInfo().startTime.getTime();
  let [snapshot, actions]: [AnyMachineSnapshot, { type: string; params?: unknown }[]] =
    initialTransition<AnyStateMachine>(machine, input);

  // Scopes are children of the root, because one that starts in an Update's handler must outlive
  // it.
  const inScope = (work: (scope: CancellationScope) => Promise<void>) => {
    const scope = new CancellationScope({ cancellable: true, parent: root });
    void scope.run(async () => {
      try {
        await work(scope);
      } catch (error) {
        if (!isCancellation(error)) failure ??= error;
      } finally {
        running.delete(scope);
      }
    });
    return scope;
  };

  const arm = (id: string, ms: number, event: Event<M>) => {
    const due = entered + ms;
    const scope = inScope(async () => {
      // An overdue deadline needs no timer, which would cost one more task. Signals come before it.
      const left = due - Date.now();
      await (left < 0 ? undefined : sleep(left, { summary: timerName(id) }));
      timers.delete(id);
      send(event);
    });
    timers.set(id, { scope, due });
  };

  const start = (effect: Effect<M>) => {
    const from = snapshot as SnapshotFrom<M>;
    const scope = inScope(async (own) => {
      const outcome = await effect(from);
      running.delete(own);
      if (outcome && !own.consideredCancelled) send(outcome);
    });
    running.add(scope);
  };

  const perform = (action: (typeof actions)[number]) => {
    const params = action.params as { id: string; sendId: string; delay: number; event: Event<M> };
    if (action.type === "xstate.raise") return arm(params.id, params.delay, params.event);
    if (action.type === "xstate.cancel") {
      timers.get(params.sendId)?.scope.cancel();
      timers.delete(params.sendId);
      return;
    }
    const effect = effects[action.type];
    if (!effect) throw new TypeError(`The machine asks for an unknown effect: ${action.type}`);
    start(effect);
  };

  const currentView = () => view(snapshot as SnapshotFrom<M>);

  const publish = () => {
    const seen = currentView();
    const deadlines = [...timers].map(([id, { due }]) => [timerName(id), new Date(due)] as const);
    setCurrentDetails(details(seen, deadlines));
    const attributes = { MfaState: [seen.state], ...(seen.method && { MfaMethod: [seen.method] }) };
    // The starter has already set MfaState; skipping the upsert saves one history event.
    const { searchAttributes } = workflowInfo();
    const known = Object.entries(attributes).every(
      ([name, [value]]) => searchAttributes[name]?.[0] === value,
    );
    if (!known) upsertSearchAttributes(attributes);
  };

  const enter = () => {
    for (const action of actions) perform(action);
    publish();
  };

  const send = (event: Event<M>) => {
    const { value } = snapshot;
    entered = Date.now();
    [snapshot, actions] = transition<AnyStateMachine>(machine, snapshot, event);
    // Effects that still run belong to the state that was left. Nobody waits for their outcome.
    if (!snapshot.matches(value)) for (const scope of running) scope.cancel();
    enter();
  };

  // Our type overwrites the sender's, because a snapshot would accept internal events too.
  const eventOf = (type: Event<M>["type"], payload: Payload<M>) =>
    ({ ...payload, type }) as unknown as Event<M>;

  const accept = (update: string, type: Event<M>["type"]) => {
    const handler = async (payload: Payload<M>) => {
      send(eventOf(type, payload));
      if (snapshot.hasTag("callers_wait"))
        await condition(() => failure !== undefined || !snapshot.hasTag("callers_wait"));
      return currentView();
    };
    const validator = (payload: Payload<M>) => {
      if (snapshot.can(eventOf(type, payload))) return;
      const { state } = currentView();
      throw ApplicationFailure.nonRetryable(`${update} is not legal in ${state}`, ILLEGAL);
    };
    setHandler(defineUpdate<View, [Payload<M>]>(update), handler, { validator });
  };

  const listen = (signal: string, type: Event<M>["type"]) => {
    setHandler(defineSignal<[Payload<M>]>(signal), (payload) => {
      const event = eventOf(type, payload);
      if (snapshot.can(event)) send(event);
    });
  };

  enter();
  setHandler(defineQuery<View>(VIEW), currentView);
  for (const [update, type] of Object.entries(UPDATES[name])) accept(update, type);
  for (const [signal, type] of Object.entries(SIGNALS[name])) listen(signal, type);

  const done = () => snapshot.status === "done" && running.size === 0 && allHandlersFinished();
  await condition(() => failure !== undefined || done());
  if (failure !== undefined) throw failure;
  const last = currentView();
  measureEnd(last);
  return last;
}

/** The failure type with which a validator refuses a move. */
const ILLEGAL = "IllegalTransition";

/** `xstate.after.pinLifetime.smsEnrollment...` -> `pinLifetime`. */
function timerName(id: string) {
  return id.split(".")[2] ?? id;
}
