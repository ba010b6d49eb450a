import {
  type Client,
  QueryRejectedError,
  WorkflowClient,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { WorkflowIdReusePolicy } from "@temporalio/common";
import { type Facts, publish } from "../telemetry/facts.ts";
import { note } from "../telemetry/request-context.ts";
import { TASK_QUEUE, type WorkflowId } from "../workflows/ids.ts";
import {
  type OwnedWorkflow,
  type SignalName,
  type SignalPayload,
  type UpdateName,
  type UpdatePayload,
  VIEW,
  type WorkflowName,
  type Workflows,
} from "../workflows/messages.ts";
import { FlowSpent, FlowUnknown, TemporalAway } from "./errors.ts";
import {
  FAILED_PRECONDITION,
  isRefusal,
  isUnrun,
  outcomeOf,
  statusOf,
  TOTAL_UPDATES,
  troubleOf,
} from "./troubles.ts";

/** How long a program's call waits for Temporal, in ms. The request must be answered within 2 s. */
const PATIENCE_MS = 1500;

/** How often an Update is sent in all; see `untilTaken`. */
const UPDATE_TRIES = 4;

/**
 * The answer to an Update. `moved` is false if the machine refused it; `view` is then its current
 * view.
 */
export type Moved<View> = { moved: boolean; view: View };

type StartOptions = {
  summary: string;
  method?: string;
  state?: string;
  /** How long the flow needs no worker, in ms. An Update ends the delay. */
  startDelay?: number;
  /** Refuses the start even if the flow with this ID has ended, as long as its history is kept. */
  once?: boolean;
};

/** A workflow's events, oldest first. */
export type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

/**
 * What a flow that no worker has run yet would answer, from its history; undefined if a worker has
 * run it.
 */
type Unrun<View> = (history: History) => View | undefined;

/**
 * The calls to workflows. `patience` returns how many ms each may take. Each throws `TemporalAway`
 * if Temporal or every worker is down, and `FlowBusy` if the workflow is too busy at this moment.
 */
export function createCalls(client: Client, patience: () => number = () => PATIENCE_MS) {
  const call = async <T>(
    name: string,
    workflowId: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    if (workflowId) note({ workflowId });
    const begun = performance.now();
    const ended = (outcome: Facts["temporal-call"]["outcome"]) =>
      publish("temporal-call", {
        call: name,
        outcome,
        seconds: (performance.now() - begun) / 1000,
      });
    const patienceMs = patience();
    const giveUp = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        giveUp.abort();
        reject(new TemporalAway(`${name}: no answer in ${patienceMs} ms`));
      }, patienceMs);
    });
    try {
      // The abort ends only the first try of a call. If the SDK is already at a later one, it goes
      // on, and nobody sees its outcome.
      const answer = await Promise.race([client.withAbortSignal(giveUp.signal, work), late]);
      ended("ok");
      return answer;
    } catch (error) {
      const trouble = troubleOf(error, name);
      ended(outcomeOf(trouble));
      throw trouble;
    } finally {
      clearTimeout(timer);
    }
  };

  /** False if the flow was already started, as after a repeated request. */
  const start = async <W extends OwnedWorkflow>(
    type: W,
    workflowId: WorkflowId<W>,
    args: Workflows[W]["input"],
    { summary, method, state, startDelay, once }: StartOptions,
  ): Promise<boolean> => {
    try {
      await call("start", workflowId, () =>
        client.workflow.start(type, {
          taskQueue: TASK_QUEUE,
          workflowId,
          args: [args],
          staticSummary: summary,
          startDelay,
          workflowIdReusePolicy: once ? WorkflowIdReusePolicy.REJECT_DUPLICATE : undefined,
          searchAttributes: {
            ...(args.userId && { MfaUserId: [args.userId] }),
            MfaAccountId: [args.accountId],
            ...(method && { MfaMethod: [method] }),
            ...(state && { MfaState: [state] }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return false;
    }
  };

  /** Sends a flow a signal without waiting for its effect. Ignored if the flow has ended. */
  const signal = async <W extends WorkflowName, S extends SignalName<W>>(
    workflowId: WorkflowId<W>,
    name: S,
    payload: SignalPayload<W, S>,
  ): Promise<void> => {
    const handle = client.workflow.getHandle(workflowId);
    try {
      await call("signal", workflowId, () => handle.signal<[typeof payload]>(name, payload));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };

  /** The result of a flow that has ended. */
  const result = <W extends WorkflowName>(workflowId: WorkflowId<W>) =>
    client.workflow.result<(args: Workflows[W]["input"]) => Promise<Workflows[W]["answer"]>>(
      workflowId,
    );

  const open = new WorkflowClient({ ...client.workflow.options, queryRejectCondition: "NOT_OPEN" });
  // For a flow that has ended, the view is its result. That needs no worker, as the flow's build
  // may be gone.
  const view = async <W extends WorkflowName>(
    workflowId: WorkflowId<W>,
    unrun?: Unrun<Workflows[W]["answer"]>,
  ): Promise<Workflows[W]["answer"]> => {
    const handle = open.getHandle(workflowId);
    // The server gets our deadline, so it answers at once if no worker will run the flow by then.
    const query = () =>
      client.withDeadline(Date.now() + patience(), () =>
        handle.query<Workflows[W]["answer"]>(VIEW),
      );
    const work = () =>
      query().catch(async (error) => {
        const known = isUnrun(error) ? unrun?.(await handle.fetchHistory()) : undefined;
        if (!known) throw error;
        return known;
      });
    try {
      return await call("query", workflowId, work);
    } catch (error) {
      if (!(error instanceof QueryRejectedError)) throw error;
      return call("result", workflowId, () => result(workflowId)).catch((failure) => {
        if (!(failure instanceof WorkflowFailedError)) throw failure;
        // An operator terminated it, so it has no view, and counts as unknown.
        throw new WorkflowNotFoundError(failure.message, workflowId, undefined);
      });
    }
  };

  /** Undefined if no such workflow is known. */
  const viewIfKnown = async <W extends WorkflowName>(
    workflowId: WorkflowId<W>,
    unrun?: Unrun<Workflows[W]["answer"]>,
  ): Promise<Workflows[W]["answer"] | undefined> => {
    try {
      return await view(workflowId, unrun);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };

  const move = async <W extends WorkflowName, U extends UpdateName<W>>(
    workflowId: WorkflowId<W>,
    update: U,
    payload: UpdatePayload<W, U>,
    updateId?: string,
  ): Promise<Moved<Workflows[W]["answer"]>> => {
    type Payload = UpdatePayload<W, U>;
    try {
      const handle = client.workflow.getHandle(workflowId);
      const options = { args: [payload] as [Payload], updateId };
      const send = () => handle.executeUpdate<Workflows[W]["answer"], [Payload]>(update, options);
      return { moved: true, view: await call("update", workflowId, () => untilTaken(send)) };
    } catch (error) {
      if (!isRefusal(error) || error instanceof FlowSpent) throw error;
      const now = await viewIfKnown(workflowId);
      if (now === undefined) throw new FlowUnknown(workflowId);
      return { moved: false, view: now };
    }
  };

  return { call, start, signal, result, view, viewIfKnown, move };
}

/**
 * Sends an Update again if something else happened to the flow while the Update was ending it: the
 * server then repeats the flow's task and forgets the Update.
 */
async function untilTaken<T>(send: () => Promise<T>, tries = UPDATE_TRIES): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const { code, details = "" } = statusOf(error) ?? {};
    if (tries === 1 || code !== FAILED_PRECONDITION || TOTAL_UPDATES.test(details)) throw error;
    return untilTaken(send, tries - 1);
  }
}

export type Calls = ReturnType<typeof createCalls>;
