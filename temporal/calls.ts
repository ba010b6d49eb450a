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

/** How long a program's call waits for Temporal before the request, due within 2 s, is given up, in ms. */
const PATIENCE_MS = 1500;

const TRIES = 4;

/** An Update's answer: `moved` is false where the machine refused, and `view` then says where it stands. */
export type Moved<View> = { moved: boolean; view: View };

type StartOptions = {
  summary: string;
  method?: string;
  state?: string;
  /** How long no worker is needed, in ms; an Update ends it. */
  startDelay?: number;
  /** Also where the one of that id has ended, for as long as its history is kept. */
  once?: boolean;
};

/** A workflow's events, oldest first. */
export type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

/** What a flow that no worker has run yet would answer, by its history; undefined where it has run. */
type Unrun<View> = (history: History) => View | undefined;

/**
 * What is asked of workflows, each with so many ms of patience. Each throws `TemporalAway` when Temporal
 * or every worker is away, and `FlowBusy` when the workflow has too much to do at this moment.
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
      // The abort ends the first try of a call; its later ones are left to themselves.
      const answer = await Promise.race([client.withAbortSignal(giveUp.signal, work), late]);
      ended("ok");
      return answer;
    } catch (error) {
      const told = troubleOf(error, name);
      ended(outcomeOf(told));
      throw told;
    } finally {
      clearTimeout(timer);
    }
  };

  /** False where the flow is there already, as after a repeated request. */
  const start = async <W extends WorkflowName>(
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

  /** Tells a flow something that nobody waits for; one that has ended needs to hear nothing. */
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

  /** What a flow ended with. */
  const result = <W extends WorkflowName>(workflowId: WorkflowId<W>) =>
    client.workflow.result<(args: Workflows[W]["input"]) => Promise<Workflows[W]["answer"]>>(
      workflowId,
    );

  const open = new WorkflowClient({ ...client.workflow.options, queryRejectCondition: "NOT_OPEN" });
  // The view of a flow that has ended is its result, for which no worker is asked: its build may be gone.
  const view = async <W extends WorkflowName>(
    workflowId: WorkflowId<W>,
    unrun?: Unrun<Workflows[W]["answer"]>,
  ): Promise<Workflows[W]["answer"]> => {
    const handle = open.getHandle(workflowId);
    // A server that knows how long we wait tells at once that the flow will not be run by then.
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
        // An operator ended it, and it has no view: as good as a flow that is not known.
        throw new WorkflowNotFoundError(failure.message, workflowId, undefined);
      });
    }
  };

  /** Undefined where no such workflow is known. */
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
 * Sends an Update again where something else happened to the flow while that was ending by it: the
 * server then has the flow's task done anew and forgets the Update.
 */
async function untilTaken<T>(send: () => Promise<T>, tries = TRIES): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const { code, details = "" } = statusOf(error) ?? {};
    if (tries === 1 || code !== FAILED_PRECONDITION || TOTAL_UPDATES.test(details)) throw error;
    return untilTaken(send, tries - 1);
  }
}

export type Calls = ReturnType<typeof createCalls>;
