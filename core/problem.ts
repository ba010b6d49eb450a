export type FieldError = { path: string; message: string };

type Extra = {
  /** Seconds until the same request may succeed; sent as Retry-After. */
  retryAfterS?: number;
  /** The HTTP methods that are allowed here; sent as Allow. */
  allow?: string;
  errors?: FieldError[];
  /** The request's attempt stays spent although it was not judged. */
  spent?: true;
  /** Further members of the problem, such as `attemptsRemaining` or `reason`. */
  members?: Record<string, unknown>;
};

/**
 * A refusal for the client, sent as RFC 9457 `application/problem+json`. A `code` never changes.
 */
export class Problem extends Error {
  readonly status: ProblemStatus;
  readonly code: ProblemCode;
  readonly extra: Extra;

  /** `cause` is only for the log. */
  constructor(code: ProblemCode, detail?: string, extra: Extra = {}, cause?: unknown) {
    const { status, title } = PROBLEMS[code];
    super(detail ?? title, { cause });
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

/** Every code that a client can get, with its status and title. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: "The body is not valid JSON" },
  invalid_request: { status: 422, title: "Some fields are not valid" },
  unsupported_media_type: { status: 415, title: "This content type is not supported" },
  body_too_large: { status: 413, title: "The body is too large" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  unauthenticated: { status: 401, title: "A session token is required" },
  session_expired: { status: 401, title: "The session has expired" },
  session_revoked: { status: 401, title: "The session has ended" },
  reauthentication_required: { status: 401, title: "Log in again to do this" },
  forbidden: { status: 403, title: "You don't have access" },
  setup_only: { status: 403, title: "This session can only set up multi-factor authentication" },
  invalid_credentials: { status: 401, title: "The user name or password is wrong" },
  account_locked: { status: 423, title: "The account is locked" },
  login_throttled: { status: 429, title: "Too many login attempts" },
  too_many_requests: { status: 429, title: "Too many requests" },
  logins_under_way: { status: 429, title: "Other logins are under way" },
  challenge_not_found: { status: 404, title: "This login is no longer available" },
  challenge_expired: { status: 410, title: "This login expired" },
  enrollment_ended: { status: 410, title: "This set-up has ended" },
  passcode_expired: { status: 410, title: "The passcode has expired" },
  passcode_already_used: { status: 422, title: "The passcode was used already" },
  passcode_replaced: { status: 422, title: "A newer passcode was sent" },
  passcode_rejected: { status: 422, title: "The passcode is wrong" },
  illegal_transition: { status: 409, title: "This is not possible now" },
  send_limit: { status: 429, title: "Too many messages requested" },
  resend_limit: { status: 429, title: "The event was sent too often" },
  policy_change_limit: { status: 429, title: "The policy was changed too often" },
  device_not_found: { status: 404, title: "Device not found" },
  invalid_phone_number: { status: 422, title: "The phone number cannot be used" },
  sms_device_exists: { status: 409, title: "You already have an SMS device" },
  too_many_devices: { status: 409, title: "You have too many devices" },
  multi_factor_off: { status: 409, title: "Multi-factor authentication is off" },
  device_verified_already: { status: 409, title: "The device is already verified" },
  remove_all_required: {
    status: 409,
    title: "A verified phone can only be removed with all devices",
  },
  pin_rejected: { status: 422, title: "The PIN is wrong" },
  pin_replaced: { status: 422, title: "A newer PIN was sent" },
  pin_expired: { status: 410, title: "The PIN can no longer be used" },
  credential_rejected: {
    status: 422,
    title: "The answer of your security key or passkey was not accepted",
  },
  credential_registered: {
    status: 409,
    title: "This security key or passkey is already registered",
  },
  webauthn_options_used: { status: 409, title: "These options were used already or have expired" },
  webauthn_unavailable: {
    status: 409,
    title: "Security keys and passkeys cannot be used here yet",
  },
  key_required: { status: 409, title: "Your account requires a security key or passkey" },
  passkey_rejected: { status: 401, title: "This passkey cannot be used to log in" },
  passkey_needs_password: { status: 403, title: "This key does not log in alone yet" },
  passkey_login_off: { status: 403, title: "Your account does not allow login by passkey alone" },
  method_not_configured: { status: 409, title: "You have not set up this method" },
  user_not_found: { status: 404, title: "User not found" },
  not_yourself: { status: 403, title: "You can't do this to your own account" },
  not_a_cloud_account: { status: 422, title: "This is not a Cloud account" },
  not_cloud_administrator: {
    status: 422,
    title: "That user is not an administrator of the Cloud account",
  },
  cannot_link_itself: { status: 409, title: "An account cannot be linked to itself" },
  linked_already: { status: 409, title: "The account is already linked" },
  linked_account_has_mfa: {
    status: 409,
    title: "The Cloud account has multi-factor authentication on",
  },
  link_not_found: { status: 404, title: "Linked account not found" },
  cloud_account_own_login: {
    status: 403,
    title: "Only a Cloud account's own users can set up its multi-factor authentication",
  },
  policy_conflict: { status: 409, title: "Another administrator just changed the policy" },
  username_taken: { status: 409, title: "That user name is taken" },
  webhook_not_found: { status: 404, title: "Webhook not found" },
  delivery_not_found: { status: 404, title: "Delivery not found" },
  too_many_webhooks: { status: 409, title: "You have too many webhooks" },
  webhook_disabled: { status: 409, title: "The webhook is disabled" },
  invalid_webhook_url: { status: 422, title: "This URL cannot be used for a webhook" },
  last_administrator: { status: 409, title: "The account needs at least one administrator" },
  session_not_found: { status: 404, title: "Session not found" },
  idempotency_key_reused: {
    status: 422,
    title: "This Idempotency-Key was used for another request",
  },
  signature_rejected: { status: 403, title: "The signature is wrong" },
  request_in_progress: { status: 409, title: "The same request is still in progress" },
  service_unavailable: { status: 503, title: "The service is temporarily unavailable" },
  internal_error: { status: 500, title: "Something went wrong on our side" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

type ProblemStatus = (typeof PROBLEMS)[ProblemCode]["status"];
