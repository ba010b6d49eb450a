import type { Context } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem, type ProblemCode } from "../../core/problem.ts";
import { withSupport } from "../../core/support/support-contact.ts";

/** The protocol's faults with their status. A fault's name is the only member of its JSON body. */
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

/** A refusal by this API's own routes. The functions it shares with `/v1` throw a `Problem`. */
export class Fault extends Error {
  readonly fault: FaultName;
  readonly headers: Record<string, string>;

  constructor(fault: FaultName, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.fault = fault;
    this.headers = headers;
  }
}

/** Problems whose fault does not follow from their status. */
const BY_CODE: Partial<Record<ProblemCode, FaultName>> = {
  // In the first step of a login. The second step answers forbidden.
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
 * The problem as a fault; `by` overrides the fault of some codes. The message of a locked account
 * names Support's contact, because the protocol has no member for it.
 */
export function faultOf(
  problem: Problem,
  support: CoreDeps["config"]["SUPPORT_CONTACT"],
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

/** Awaits `work`. Problems whose code is in `by` become the fault named there. */
export async function withFaults<T>(
  { config }: Pick<CoreDeps, "config">,
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

/** Answers the fault, always as JSON. */
export function sendFault(c: Context, { fault, message, headers }: Fault): Response {
  const code = CODES[fault];
  const wait = headers["retry-after"];
  const retryAfter = fault === "overLimit" && wait ? { retryAfter: Number(wait) } : {};
  return c.json({ [fault]: { code, message, ...retryAfter } }, code, headers);
}
