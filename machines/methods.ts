/** The kinds of second factor a user can configure. */
export type Method = "sms" | "otp" | "webauthn";

/** What proved possession at a login: a configured method, or a recovery code instead. */
export type Factor = Method | "recovery_code";

/** A factor that is proven by a code that the user types. */
export type TypedFactor = Exclude<Factor, "webauthn">;

/** Where a request came from, as the audit trail shows it. */
export type ClientInfo = { ip?: string; userAgent?: string };
