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
import { AWAY } from "../telemetry/away.ts";
import type { Facts } from "../telemetry/facts.ts";
import { FlowBusy, FlowSpent, TemporalAway, TemporalUnreached } from "./errors.ts";

/** The outcome as which a failed call is counted. */
export function outcomeOf(error: unknown): Facts["temporal-call"]["outcome"] {
  if (error instanceof TemporalAway) return "away";
  return isRefusal(error) || error instanceof FlowBusy ? "refused" : "failed";
}

/** Refusals by a server that is up: the request is not possible, or was already done. */
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
 * gRPC's CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL and
 * UNAVAILABLE. A server answers them when it starts, stops, fails over, has no worker, or is
 * overloaded as a whole.
 */
const AWAY_CODES = new Set([1, 2, 4, RESOURCE_EXHAUSTED, 10, 13, 14]);

/**
 * Limits of one workflow, which a single user can reach. Temporal has no codes for them, so we
 * match the server's messages. `test/attacks/engine-limits.test.ts` checks them with a real server.
 */
export const TOTAL_UPDATES = /total number of distinct updates/;
export const IN_FLIGHT = /in-flight updates/;
const BUSY = /workflow is busy/i;

/** The gRPC client's own message, with UNAVAILABLE, if it reached no server. */
const NO_CONNECTION = /^No connection established/;

/**
 * What a call's error means for the caller, if we know it. FAILED_PRECONDITION on a query means
 * that there is no worker; on an Update, that the flow itself is the cause.
 */
export function troubleOf(error: unknown, call: string): unknown {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return away(error);
  // Our own namespace: a server that has just started may not know it yet.
  if (error instanceof NamespaceNotFoundError) return away(error);
  const { code, details } = statusOf(error) ?? { code: 0, details: "" };
  if (code === FAILED_PRECONDITION && call !== "update") return away(error);
  if (code === FAILED_PRECONDITION)
    return TOTAL_UPDATES.test(details) ? new FlowSpent(details) : new FlowBusy(error);
  const tooMany = IN_FLIGHT.test(details) || BUSY.test(details);
  if (code === RESOURCE_EXHAUSTED && tooMany) return new FlowBusy(error);
  if (!AWAY_CODES.has(code)) return error;
  return NO_CONNECTION.test(details)
    ? new TemporalUnreached(details, { cause: error })
    : away(error);
}

const away = (cause: unknown) => new TemporalAway(AWAY.temporal, { cause });

/**
 * Whether the flow may still wait for its first task. The time-skipping server asks a worker even
 * then.
 */
export const isUnrun = (error: unknown) =>
  statusOf(error)?.code === FAILED_PRECONDITION || error instanceof QueryNotRegisteredError;

/** The gRPC status behind an error: its code, and the server's message. */
export function statusOf(error: unknown): { code: number; details: string } | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause : undefined;
}
