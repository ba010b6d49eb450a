import { TooManyPasswords } from "../store/passwords.ts";
import { isUnavailable } from "../store/unavailable.ts";
import { FlowBusy, TemporalAway, TemporalUnreached } from "../temporal/errors.ts";
import { Problem, type ProblemCode } from "./problem.ts";

/**
 * Whether a request failed because Temporal or a store is down. A client cannot cause this on its
 * own.
 */
export const isOutage = (error: unknown): boolean =>
  error instanceof TemporalAway || isUnavailable(error);

/**
 * Whether the failed work was not done and never will be: it was refused, or there was no
 * connection to Temporal. Work that is only late may still be done. One case is judged wrongly: see
 * docs/decisions/0027.
 */
export const isUndone = (error: unknown): boolean =>
  error instanceof TemporalUnreached || (error instanceof Problem && error.status < 500);

/**
 * Whether an attempt stays spent although it was not judged: its flow is too busy, or has used up
 * its requests.
 */
export const isSpent = (error: unknown): boolean =>
  error instanceof FlowBusy || (error instanceof Problem && error.extra.spent === true);

/** The problem code that clients get for an error. */
export function codeOf(error: unknown): ProblemCode {
  if (error instanceof Problem) return error.code;
  const mayPass = isOutage(error) || error instanceof FlowBusy || error instanceof TooManyPasswords;
  return mayPass ? "service_unavailable" : "internal_error";
}
