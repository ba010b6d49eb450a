import { AsyncLocalStorage } from "node:async_hooks";

type RequestContext = {
  requestId: string;
  /** Whose session it came with. */
  userId?: string;
  /** The workflows that it started, moved or asked. */
  workflowIds?: string[];
  traceId?: string;
};

const current = new AsyncLocalStorage<RequestContext>();

/** Runs the work of a request; what is noted in it stands in each of its log lines from then on. */
export function inRequest<T>(requestId: string, work: () => T): T {
  return current.run({ requestId }, work);
}

/** Notes what is known by now of the request under way; without one it does nothing. */
export function note({
  workflowId,
  ...known
}: Pick<RequestContext, "userId" | "traceId"> & { workflowId?: string }) {
  const context = current.getStore();
  if (!context) return;
  Object.assign(context, known);
  if (!workflowId || context.workflowIds?.includes(workflowId)) return;
  context.workflowIds = [...(context.workflowIds ?? []), workflowId];
}

/** What each log line says of the request under way; pino's `mixin`. */
export function requestFields(): Partial<RequestContext> {
  return { ...current.getStore() };
}
