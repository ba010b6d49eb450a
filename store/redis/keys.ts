const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Every key. What is in braces is the key's Redis Cluster slot: a script's keys share it.
 * `digest` is a keyed hash (`hashCode`) of something that must not stand in a key.
 */
export const keys = {
  /** Hash: the newest PIN of a device and its wrong tries. */
  pin: (userId: string, deviceId: string) => `mfa:{${userId}}:pin:${deviceId}`,
  /** String: the session that began the set-up of a device. */
  setUp: (userId: string, deviceId: string) => `mfa:{${userId}}:set-up:${deviceId}`,
  /** Hash: a login challenge, its newest passcode, and the session it became. */
  challenge: (userId: string, challengeId: string) => `mfa:{${userId}}:challenge:${challengeId}`,
  /** Sorted set: the ids of all challenges that are kept, by the end of their lifetime. */
  challenges: (userId: string) => `mfa:{${userId}}:challenges`,
  /** Integer: consecutive wrong passcodes, those on their way included. */
  failures: (userId: string) => `mfa:{${userId}}:failures`,
  /** Sorted set: wrong passcodes on their way, by when each is settled whatever happens. */
  pendingFailures: (userId: string) => `mfa:{${userId}}:pending-failures`,
  /** Hash: failed logins since the last one that succeeded: how many, and when the first was. */
  failedLogins: (userId: string) => `mfa:{${userId}}:failed-logins`,
  /** Sorted set: what outages gave back, by when. */
  refunds: (userId: string) => `mfa:{${userId}}:refunds`,
  /** Integer: the requests to a device's enrollment. */
  enrollmentRequests: (userId: string, deviceId: string) =>
    `mfa:{${userId}}:enrollment-requests:${deviceId}`,
  /** Hash: device -> `<last accepted time step>:<holder>`. */
  otpSteps: (userId: string) => `mfa:{${userId}}:otp-steps`,
  /** Hash: one session. */
  session: (userId: string, sessionId: string) => `mfa:{${userId}}:session:${sessionId}`,
  /** Sorted set: the ids of all sessions that are kept, by when each ends or ended. */
  sessions: (userId: string) => `mfa:{${userId}}:sessions`,
  /** Hash: the user's revocation epoch, its reason and time. */
  userRevocation: (userId: string) => `mfa:{${userId}}:revocation`,
  /** Hash: the same for an account's sessions without a second factor. */
  accountRevocation: (accountId: string) => `mfa:{${accountId}}:account-revocation`,
  /** String: the address that a change of it replaced, by the change's event. */
  formerAddress: (userId: string, eventKey: string) => `mfa:{${userId}}:former-address:${eventKey}`,
  /** Budgets (see budgets.ts). */
  pinSends: (userId: string) => `mfa:{${userId}}:pin-sends`,
  passcodeSends: (userId: string) => `mfa:{${userId}}:passcode-sends`,
  challengeSends: (userId: string, challengeId: string) =>
    `mfa:{${userId}}:challenge-sends:${challengeId}`,
  newPasswords: (userId: string) => `mfa:{${userId}}:new-passwords`,
  policyChanges: (accountId: string) => `mfa:{${accountId}}:policy-changes`,
  webhookChanges: (accountId: string) => `mfa:{${accountId}}:webhook-changes`,
  /** Of one version of an account's policy. */
  recounts: (accountId: string, version: number) => `mfa:{${accountId}}:recounts:${version}`,
  deliveryResends: (webhookId: string, eventId: number) =>
    `mfa:{${webhookId}}:delivery-resends:${eventId}`,
  changes: (userId: string) => `mfa:{${userId}}:changes`,
  /** What others change about the user. */
  changesByOthers: (userId: string) => `mfa:{${userId}}:changes-by-others`,
  addressChanges: (userId: string) => `mfa:{${userId}}:address-changes`,
  notices: (digest: string) => `mfa:{${digest}}:notices`,
  numberSends: (digest: string) => `mfa:{${digest}}:number-sends`,
  countrySends: (callingCode: string) => `mfa:{+${callingCode}}:country-sends`,
  serviceSends: () => "mfa:{service}:service-sends",
  usernamePasswords: (digest: string) => `mfa:{${digest}}:username-passwords`,
  addressPasswords: (digest: string) => `mfa:{${digest}}:address-passwords`,
  usernameLogins: (digest: string) => `mfa:{${digest}}:username-logins`,
  /** Budget of a user name over all addresses that are not known to it. */
  strangersPasswords: (digest: string) => `mfa:{${digest}}:strangers-passwords`,
  /** Sorted set: digests of the addresses that a user name was logged in with from, by the last time. */
  knownAddresses: (digest: string) => `mfa:{${digest}}:known-addresses`,
  /** Budget: the wrong passwords from a known address since the last login from there. */
  knownFailures: (digest: string, address: string) => `mfa:{${digest}}:known-failures:${address}`,
  /** Hash: the flow and the sending of a message, by its provider's reference. */
  delivery: (reference: string) => `mfa:{${reference}}:delivery`,
  /** String: the reference of a flow's newest message. */
  newestDelivery: (workflowId: string) => `mfa:{${workflowId}}:newest-delivery`,
  /** String: the reference of the message that an SMSC knows by this id. */
  smppMessage: (messageId: string) => `mfa:{${messageId}}:smpp-message`,
  /** Hash: a request that is under way or answered. */
  idempotency: (digest: string) => `mfa:{${digest}}:idempotency`,
  /** Sorted set: the keys of the answers that are kept for a user, by when they were given. */
  keptAnswers: (userId: string) => `mfa:{${userId}}:kept-answers`,
};

/**
 * How long keys stay, in ms of Redis's own clock. Nothing expires by these: what is over is over
 * by the time in the record and the caller's clock; a lifetime here only collects garbage, late
 * enough to tell "expired" from "unknown". Failures, OTP steps and revocations stay: a lock, a used
 * code or a revocation may not evaporate.
 */
export const keep = {
  pin: DAY_MS,
  challenge: DAY_MS,
  /** Longer than any request takes, after which an attempt is no longer on its way. */
  pendingFailure: HOUR_MS,
  /** Since the last attempt that failed. */
  failedLogins: 90 * DAY_MS,
  /** Beyond the window that a budget looks back: gateways' clocks differ by less. */
  budgetMargin: MINUTE_MS,
  /** Longer than an address is known. */
  knownAddresses: 31 * DAY_MS,
  /** Providers report within hours, or never. */
  delivery: DAY_MS,
  /** Beyond the end of a session's lifetime. */
  sessionMargin: DAY_MS,
  /** Longer than a notice to it is tried. */
  formerAddress: 7 * DAY_MS,
  /** A request whose gateway died may be sent again after this; none is worked on for longer. */
  idempotencyClaim: 15_000,
  idempotencyAnswer: DAY_MS,
};

/** How many of a user's there are at once, so that no user fills the store; the one that ends first goes. */
export const atMost = { sessions: 100, challenges: 50 };
