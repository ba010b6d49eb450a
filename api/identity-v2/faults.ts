import type { Context } from "hono";
import type { Deps } from "../../core/deps.ts";
import { Problem, type ProblemCode } from "../../core/problem.ts";
import { withSupport } from "../../core/support/support-contact.ts";

/** The protocol's faults, each the name of the one object in its body. */
const CODES = {
  badRequest: 400,
  unauthorized: 401,
  forbidden: 403,
  itemNotFound: 404,
  badMethod: 405,
  tenantConflict: 409,
  overLimit: 413,
  badMediaType: 415,
  identityFault: 500,
  serviceUnavailable: 503,
} as const;

export type FaultName = keyof typeof CODES;

/** A refusal in the protocol's words; what the shared functions refuse comes as their Problem. */
export class Fault extends Error {
  readonly fault: FaultName;
  readonly headers: Record<string, string>;

  constructor(fault: FaultName, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.fault = fault;
    this.headers = headers;
  }
}

/** Problems whose fault is another than their status would make it. */
const BY_CODE: Partial<Record<ProblemCode, FaultName>> = {
  // The first step of a login; the second one says forbidden.
  account_locked: "unauthorized",
  body_too_large: "badRequest",
  policy_conflict: "tenantConflict",
  request_in_progress: "tenantConflict",
  sms_device_exists: "tenantConflict",
};

const BY_STATUS: Record<number, FaultName> = {
  401: "unauthorized",
  403: "forbidden",
  404: "itemNotFound",
  415: "badMediaType",
  429: "overLimit",
  500: "identityFault",
  503: "serviceUnavailable",
};

/**
 * The problem as a fault; `by` names other faults for some of its codes. A lock's message names the way
 * to Support: the protocol has no member for it.
 */
export function faultOf(
  problem: Problem,
  support: Deps["config"]["SUPPORT_CONTACT"],
  by: typeof BY_CODE = BY_CODE,
): Fault {
  const { code, status, message, extra } = withSupport(problem, support);
  const fault = by[code] ?? BY_CODE[code] ?? BY_STATUS[status] ?? "badRequest";
  const wait = extra.retryAfterS;
  return new Fault(
    fault,
    message,
    wait === undefined ? {} : { "retry-after": String(Math.max(1, wait)) },
  );
}

/** Passes work on; its problems of these codes are told by other faults than elsewhere. */
export async function tellingAs<T>(
  { config }: Pick<Deps, "config">,
  by: typeof BY_CODE,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Problem && by[error.code]
      ? faultOf(error, config.SUPPORT_CONTACT, by)
      : error;
  }
}

/** Answers the fault: JSON, whatever was asked for. */
export function sendFault(c: Context, { fault, message, headers }: Fault): Response {
  const code = CODES[fault];
  const wait = headers["retry-after"];
  const retryAfter = fault === "overLimit" && wait ? { retryAfter: Number(wait) } : {};
  return c.json({ [fault]: { code, message, ...retryAfter } }, code, headers);
}
