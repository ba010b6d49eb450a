import { AsyncLocalStorage } from "node:async_hooks";

type RequestContext = {
  requestId: string;
  /** The user of the request's session. */
  userId?: string;
  /** The workflows that it started, moved or queried. */
  workflowIds?: string[];
  traceId?: string;
};

const current = new AsyncLocalStorage<RequestContext>();

/** Runs the work of a request. Whatever is noted meanwhile appears in all its later log lines. */
export function inRequest<T>(requestId: string, work: () => T): T {
  return current.run({ requestId }, work);
}

/** Adds what is known to the current request. Does nothing without one. */
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

/** The fields of the current request for each log line; pino's `mixin`. */
export function requestFields(): Partial<RequestContext> {
  return { ...current.getStore() };
}
