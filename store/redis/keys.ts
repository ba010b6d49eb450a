import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../units.ts";

/**
 * Every key. The part in braces decides the key's Redis Cluster slot; all keys of a script share
 * it. `digest` is a keyed hash (`hashCode`) of something that must not appear in a key.
 */
export const keys = {
  /** Hash: a device's newest PIN and its wrong tries. */
  pin: (userId: string, deviceId: string) => `mfa:{${userId}}:pin:${deviceId}`,
  /** String: the session that began the set-up of a device. */
  setUp: (userId: string, deviceId: string) => `mfa:{${userId}}:set-up:${deviceId}`,
  /** String: what a new security key is to sign. */
  setUpNonce: (userId: string, deviceId: string) => `mfa:{${userId}}:set-up-nonce:${deviceId}`,
  /** String: a nonce that a login by passkey has used. */
  passkeyNonce: (nonce: string) => `mfa:{${nonce}}:passkey-nonce`,
  /** Hash: a login challenge, its newest passcode, and the session it became. */
  challenge: (userId: string, challengeId: string) => `mfa:{${userId}}:challenge:${challengeId}`,
  /** Sorted set: the IDs of all stored challenges, by the end of their lifetime. */
  challenges: (userId: string) => `mfa:{${userId}}:challenges`,
  /** Integer: consecutive wrong passcodes, including pending ones. */
  failures: (userId: string) => `mfa:{${userId}}:failures`,
  /** Sorted set: pending wrong passcodes, by the latest time at which each is confirmed. */
  pendingFailures: (userId: string) => `mfa:{${userId}}:pending-failures`,
  /** Hash: failed logins since the last successful one: their number, and the time of the first. */
  failedLogins: (userId: string) => `mfa:{${userId}}:failed-logins`,
  /** Sorted set: attempts given back after outages, by time. */
  refunds: (userId: string) => `mfa:{${userId}}:refunds`,
  /** Integer: the requests to a device's enrollment. */
  enrollmentRequests: (userId: string, deviceId: string) =>
    `mfa:{${userId}}:enrollment-requests:${deviceId}`,
  /** Hash: device -> `<last accepted time step>:<holder>`. */
  otpSteps: (userId: string) => `mfa:{${userId}}:otp-steps`,
  /** Hash: one session. */
  session: (userId: string, sessionId: string) => `mfa:{${userId}}:session:${sessionId}`,
  /** Sorted set: the IDs of all stored sessions, by when each ends or ended. */
  sessions: (userId: string) => `mfa:{${userId}}:sessions`,
  /** Hash: the user's revocation epoch, with its reason and time. */
  userRevocation: (userId: string) => `mfa:{${userId}}:revocation`,
  /** Hash: the same for an account's sessions without a second factor. */
  accountRevocation: (accountId: string) => `mfa:{${accountId}}:account-revocation`,
  /** String: the previous address, by the event that changed it. */
  formerAddress: (userId: string, eventKey: string) => `mfa:{${userId}}:former-address:${eventKey}`,
  /** Budgets (see budgets.ts). */
  pinSends: (userId: string) => `mfa:{${userId}}:pin-sends`,
  passcodeSends: (userId: string) => `mfa:{${userId}}:passcode-sends`,
  challengeSends: (userId: string, challengeId: string) =>
    `mfa:{${userId}}:challenge-sends:${challengeId}`,
  newPasswords: (userId: string) => `mfa:{${userId}}:new-passwords`,
  policyChanges: (accountId: string) => `mfa:{${accountId}}:policy-changes`,
  webhookChanges: (accountId: string) => `mfa:{${accountId}}:webhook-changes`,
  /** For one version of an account's policy. */
  recounts: (accountId: string, version: number) => `mfa:{${accountId}}:recounts:${version}`,
  deliveryResends: (webhookId: string, eventRef: string) =>
    `mfa:{${webhookId}}:delivery-resends:${eventRef}`,
  changes: (userId: string) => `mfa:{${userId}}:changes`,
  /** What others change about the user. */
  changesByOthers: (userId: string) => `mfa:{${userId}}:changes-by-others`,
  /** Users added to the account. */
  newUsers: (accountId: string) => `mfa:{${accountId}}:new-users`,
  /** Logins with the right password. */
  rightPasswords: (userId: string) => `mfa:{${userId}}:right-passwords`,
  /** Logins by a passkey alone. */
  rightPasskeys: (userId: string) => `mfa:{${userId}}:right-passkeys`,
  addressChanges: (userId: string) => `mfa:{${userId}}:address-changes`,
  notices: (digest: string) => `mfa:{${digest}}:notices`,
  numberSends: (digest: string) => `mfa:{${digest}}:number-sends`,
  /** In one slot, so that one script counts them all. */
  countrySends: (callingCode: string) => `mfa:{service}:country-sends:+${callingCode}`,
  serviceSends: () => "mfa:{service}:service-sends",
  /** Hash: which Redis this is; see `RedisMark`. */
  generation: () => "mfa:{service}:generation",
  usernamePasswords: (digest: string) => `mfa:{${digest}}:username-passwords`,
  addressPasswords: (digest: string) => `mfa:{${digest}}:address-passwords`,
  /** Budget of an address. */
  passkeyLogins: (digest: string) => `mfa:{${digest}}:passkey-logins`,
  usernameLogins: (digest: string) => `mfa:{${digest}}:username-logins`,
  /** Budget of a user name, for all addresses that are not known to it together. */
  strangersPasswords: (digest: string) => `mfa:{${digest}}:strangers-passwords`,
  /**
   * Sorted set: digests of the addresses from which a user name was logged in, by the last time.
   */
  knownAddresses: (digest: string) => `mfa:{${digest}}:known-addresses`,
  /** Budget: wrong passwords from a known address since the last login from there. */
  knownFailures: (digest: string, address: string) => `mfa:{${digest}}:known-failures:${address}`,
  /** Hash: the flow and the number of the sending, by the provider's reference of the message. */
  delivery: (reference: string) => `mfa:{${reference}}:delivery`,
  /** String: the reference of a flow's newest message. */
  newestDelivery: (workflowId: string) => `mfa:{${workflowId}}:newest-delivery`,
  /** String: our reference of a message, by the SMSC's own ID for it. */
  smppMessage: (messageId: string) => `mfa:{${messageId}}:smpp-message`,
  /** Hash: a request that is under way or answered. */
  idempotency: (digest: string) => `mfa:{${digest}}:idempotency`,
  /** Sorted set: the keys of a user's stored answers, by the time they were given. */
  storedResponses: (userId: string) => `mfa:{${userId}}:kept-answers`,
};

/**
 * How long Redis keeps keys, in ms of its own clock. These times decide nothing: whether a record
 * has expired depends on the time in the record and the caller's clock. They only collect garbage,
 * late enough to tell "expired" from "unknown". Failures, OTP steps and revocations stay for ever:
 * a lock, a used code or a revocation must not disappear.
 */
export const keep = {
  pin: DAY_MS,
  challenge: DAY_MS,
  /** Longer than any options for a security key are valid. */
  nonce: HOUR_MS,
  /** Longer than any request takes. After it, no attempt is pending any more. */
  pendingFailure: HOUR_MS,
  /** After the last failed attempt. */
  failedLogins: 90 * DAY_MS,
  /** Added to the longest window of a budget: the clocks of gateways differ by less. */
  budgetMargin: MINUTE_MS,
  /** Longer than an address is known. */
  knownAddresses: 31 * DAY_MS,
  /** Providers report within hours, or never. */
  delivery: DAY_MS,
  /** After the end of a session's lifetime. */
  sessionMargin: DAY_MS,
  /** Longer than we try to send a notice to it. */
  formerAddress: 7 * DAY_MS,
  /** If a gateway dies, its request may be sent again after this. No request takes longer. */
  idempotencyClaim: 15_000,
  idempotencyAnswer: DAY_MS,
};

/**
 * The most of each that a user has at once, so that no user fills the store. The one that ends
 * first is dropped.
 */
export const atMost = { sessions: 100, challenges: 50 };
