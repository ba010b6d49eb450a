import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export type FieldError = { path: string; message: string };

type Extra = {
  /** Seconds until the same request may succeed; sent as Retry-After. */
  retryAfterS?: number;
  /** The methods that will do; sent as Allow. */
  allow?: string;
  errors?: FieldError[];
  /** Further members of the problem, such as `attemptsRemaining` or `reason`. */
  members?: Record<string, unknown>;
};

/** A refusal to be told to the client as RFC 9457 `application/problem+json`; `code` never changes. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: ProblemCode;
  readonly extra: Extra;

  /** `cause` is for the log alone. */
  constructor(code: ProblemCode, detail?: string, extra: Extra = {}, cause?: unknown) {
    const { status, title } = PROBLEMS[code];
    super(detail ?? title, { cause });
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

type Kind = { status: ContentfulStatusCode; title: string };

/** Every code a client can meet, with its status and its title. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: "The body is not valid JSON" },
  invalid_request: { status: 422, title: "Some fields are not acceptable" },
  unsupported_media_type: { status: 415, title: "The body must be application/json" },
  body_too_large: { status: 413, title: "The body is too large" },
  not_found: { status: 404, title: "There is nothing here" },
  method_not_allowed: { status: 405, title: "That method will not do here" },
  unauthenticated: { status: 401, title: "A session token is needed" },
  session_expired: { status: 401, title: "The session has expired" },
  session_revoked: { status: 401, title: "The session was ended" },
  reauthentication_required: { status: 401, title: "Log in again to do this" },
  forbidden: { status: 403, title: "This session may not do that" },
  setup_only: { status: 403, title: "This session is for setting up multi-factor authentication" },
  invalid_credentials: { status: 401, title: "The user name or password is wrong" },
  account_locked: { status: 423, title: "The account is locked" },
  login_throttled: { status: 429, title: "Too many login attempts" },
  challenge_not_found: { status: 404, title: "There is no such challenge" },
  challenge_expired: { status: 410, title: "The challenge has ended" },
  passcode_expired: { status: 410, title: "The passcode has expired" },
  passcode_rejected: { status: 422, title: "The passcode is wrong" },
  illegal_transition: { status: 409, title: "That cannot be done now" },
  send_limit: { status: 429, title: "Too many messages were asked for" },
  device_not_found: { status: 404, title: "There is no such device" },
  invalid_phone_number: { status: 422, title: "The phone number cannot be used" },
  sms_device_exists: { status: 409, title: "There is an SMS device already" },
  too_many_devices: { status: 409, title: "There are too many devices" },
  multi_factor_off: { status: 409, title: "Multi-factor authentication is off" },
  device_verified_already: { status: 409, title: "The device is verified already" },
  remove_all_required: { status: 409, title: "A verified SMS device goes only with all devices" },
  pin_rejected: { status: 422, title: "The PIN is wrong" },
  pin_expired: { status: 410, title: "The PIN can no longer be used" },
  method_not_configured: { status: 409, title: "That method is not configured" },
  user_not_found: { status: 404, title: "There is no such user" },
  not_yourself: { status: 403, title: "Support does not do this to oneself" },
  not_a_cloud_account: { status: 422, title: "That is no Cloud account" },
  cannot_link_itself: { status: 409, title: "An account is not linked to itself" },
  linked_already: { status: 409, title: "The account is linked already" },
  linked_account_has_mfa: {
    status: 409,
    title: "The account to be linked has multi-factor authentication",
  },
  link_not_found: { status: 404, title: "There is no such linked account" },
  cloud_account_own_login: {
    status: 403,
    title: "A Cloud account's multi-factor authentication is set by its own users",
  },
  policy_conflict: { status: 409, title: "Another administrator has just changed the policy" },
  username_taken: { status: 409, title: "The user name is taken" },
  webhook_not_found: { status: 404, title: "There is no such webhook" },
  delivery_not_found: { status: 404, title: "There is no such delivery" },
  too_many_webhooks: { status: 409, title: "There are too many webhooks" },
  webhook_disabled: { status: 409, title: "The webhook is disabled" },
  invalid_webhook_url: { status: 422, title: "The URL cannot be a webhook's" },
  last_administrator: { status: 409, title: "The account keeps one administrator at least" },
  session_not_found: { status: 404, title: "There is no such session" },
  idempotency_key_reused: {
    status: 422,
    title: "That Idempotency-Key was used for another request",
  },
  signature_rejected: { status: 403, title: "The signature is wrong" },
  request_in_progress: { status: 409, title: "The same request is still being worked on" },
  service_unavailable: { status: 503, title: "The service cannot answer right now" },
  internal_error: { status: 500, title: "Something went wrong on our side" },
} as const satisfies Record<string, Kind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** The problem as its body's JSON. */
export function problemBody(problem: Problem) {
  const { errors, members } = problem.extra;
  return {
    type: `urn:second-step:problem:${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(errors && { errors }),
    ...members,
  };
}

/** Answers a request with the problem. */
export function sendProblem(c: Context, problem: Problem) {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  const { retryAfterS, allow } = problem.extra;
  if (retryAfterS !== undefined) headers["retry-after"] = String(Math.max(1, retryAfterS));
  if (allow !== undefined) headers.allow = allow;
  return c.body(JSON.stringify(problemBody(problem)), problem.status, headers);
}

/** A dependency is away, as its `cause` tells the log; nothing was lost, and trying again is right. */
export function unavailable(dependency: "store" | "temporal", cause?: unknown) {
  return new Problem(
    "service_unavailable",
    `The ${dependency} is away. Nothing was lost; try again.`,
    {
      retryAfterS: 2,
      members: { dependency },
    },
    cause,
  );
}
