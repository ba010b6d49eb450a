import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import { NamespaceNotFoundError } from "@temporalio/common";
import type { Facts } from "../telemetry/facts.ts";
import { FlowBusy, FlowSpent, TemporalAway, TemporalUnreached } from "./errors.ts";

/** How a call is counted that ended in this trouble. */
export function outcomeOf(error: unknown): Facts["temporal-call"]["outcome"] {
  if (error instanceof TemporalAway) return "away";
  return isRefusal(error) || error instanceof FlowBusy ? "refused" : "failed";
}

/** Answers of a server that is there: what was asked for cannot be, or is there already. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof FlowSpent ||
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowNotFoundError ||
    error instanceof QueryRejectedError ||
    error instanceof WorkflowExecutionAlreadyStartedError
  );
}

const RESOURCE_EXHAUSTED = 8;
export const FAILED_PRECONDITION = 9;

/**
 * gRPC's CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL and UNAVAILABLE:
 * what a server says that starts, stops, fails over, has no worker, or has too much to do for everybody.
 */
const AWAY = new Set([1, 2, 4, RESOURCE_EXHAUSTED, 10, 13, 14]);

/**
 * Limits of one workflow, which its user can reach alone. Temporal gives them no code of their own: the
 * words are the server's, and `test/attacks/engine-limits.test.ts` has a real one say them.
 */
export const TOTAL_UPDATES = /total number of distinct updates/;
export const IN_FLIGHT = /in-flight updates/;
const BUSY = /workflow is busy/i;

/** What the gRPC client says itself, with UNAVAILABLE, where it reached no server. */
const NO_CONNECTION = /^No connection established/;

/**
 * What an error of a call means to whoever waits, where we know it. To a query a server
 * says FAILED_PRECONDITION where no worker is there; to an Update, where the flow itself is at fault.
 */
export function troubleOf(error: unknown, call: string): unknown {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return away(error);
  // Our own namespace: a server that has just started does not know it yet.
  if (error instanceof NamespaceNotFoundError) return away(error);
  const { code, details } = statusOf(error) ?? { code: 0, details: "" };
  if (code === FAILED_PRECONDITION && call !== "update") return away(error);
  if (code === FAILED_PRECONDITION)
    return TOTAL_UPDATES.test(details) ? new FlowSpent(details) : busy(error);
  const tooMany = IN_FLIGHT.test(details) || BUSY.test(details);
  if (code === RESOURCE_EXHAUSTED && tooMany) return busy(error);
  if (!AWAY.has(code)) return error;
  return NO_CONNECTION.test(details)
    ? new TemporalUnreached(details, { cause: error })
    : away(error);
}

const away = (cause: unknown) => new TemporalAway("temporal is away", { cause });
const busy = (cause: unknown) =>
  new FlowBusy("a flow takes nothing more at this moment", { cause });

/** Perhaps the flow waits for its first task; the time-skipping server asks a worker all the same. */
export const isUnrun = (error: unknown) =>
  statusOf(error)?.code === FAILED_PRECONDITION || error instanceof QueryNotRegisteredError;

/** The gRPC status behind an error: its code, and what the server said. */
export function statusOf(error: unknown): { code: number; details: string } | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause : undefined;
}
