import { isUnavailable } from "../store/unavailable.ts";
import { FlowBusy, TemporalAway, TemporalUnreached } from "../temporal/errors.ts";
import { Problem, type ProblemCode } from "./problem.ts";

/** Whether a request failed because Temporal or a store is away: an outage, which nobody brings about alone. */
export const isOutage = (error: unknown): boolean =>
  error instanceof TemporalAway || isUnavailable(error);

/**
 * Whether what an error ended is certainly not done, nor will be: it was refused, or reached nobody. What
 * is only late may be done yet.
 */
export const isUndone = (error: unknown): boolean =>
  error instanceof TemporalUnreached || (error instanceof Problem && error.status < 500);

/** Whether an error leaves spent what the request has spent, although nobody has judged it. */
export const isSpent = (error: unknown): boolean =>
  error instanceof FlowBusy || (error instanceof Problem && error.extra.spent === true);

/** The code by which clients are told of an error. */
export function codeOf(error: unknown): ProblemCode {
  if (error instanceof Problem) return error.code;
  return isOutage(error) || error instanceof FlowBusy ? "service_unavailable" : "internal_error";
}
