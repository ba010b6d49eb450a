const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Budgets and lifetimes; durations in ms. */
export const limits = {
  pin: { digits: 4, lifetimeMs: 10 * MINUTE_MS, tries: 5, perDay: 10, intervalMs: 30_000 },
  passcode: { digits: 7, lifetimeMs: 10 * MINUTE_MS, intervalMs: 30_000, perHour: 20 },
  numberSendsPerDay: 60,
  numberSendsPerHour: 30,
  challengeMs: 10 * MINUTE_MS,
  enrollmentMs: 7 * DAY_MS,
  /** How long the browser that began a set-up sees its QR code and whole phone number again. */
  setUpShownMs: 15 * MINUTE_MS,
  /** Consecutive wrong passcodes allowed; one more locks. */
  wrongPasscodes: 6,
  /** Attempts at passcodes and PINs that outages give back to a user in 24 hours; one more is spent. */
  refundsPerDay: 10,
  /**
   * Requests that one flow takes, refused ones included; one more ends it. Temporal refuses a workflow
   * for good after 2,000 Updates (history.maxTotalUpdates).
   */
  flowRequests: { challenge: 60, enrollment: 100, recounts: 50 },
  policyChangesPerDay: 60,
  otpDevices: 5,
  /**
   * Devices, codes, settings and links that a user adds or changes in 24 hours; and, together, how often
   * others promote a user, ease their requirement, or reset them where they have no device.
   */
  changesPerDay: 100,
  addressChangesPerDay: 10,
  /** Notices by e-mail: what is over is dropped. Half of each is for the important ones alone. */
  notices: {
    /** To one address, and of it one account's. */
    address: { perHour: 60, perDay: 150 },
    account: { perHour: 20, perDay: 50 },
    /** Of one account to all addresses. */
    allOfAccount: { perHour: 1000, perDay: 5000 },
  },
  session: {
    absoluteMs: DAY_MS,
    idleMs: HOUR_MS,
    setupMs: 15 * MINUTE_MS,
    freshMs: 15 * MINUTE_MS,
  },
  password: {
    perUser: 10,
    perAddress: 50,
    windowMs: 15 * MINUTE_MS,
    /** Logins of a user name from one address, right or wrong: each costs a hash. */
    logins: { limit: 120, windowMs: MINUTE_MS },
    /** Passwords that a user sets, for themselves or for users whom they add: each costs a hash. */
    made: { limit: 60, windowMs: 10 * MINUTE_MS },
    /** From addresses that the user has not logged in from; NIST SP 800-63B-4 3.2.2 allows 100. */
    fromStrangersPerDay: 100,
    /** So many of a user's addresses are known; the one that was longest not used goes. */
    knownAddresses: 10,
    /** Wrong ones from a known address since the last login from there; then it is a strange one. */
    fromKnown: 10,
  },
  /** How often new events are looked for, how many at once, and how seldom at most after failures. */
  relay: { pollMs: 1000, batch: 20, longestWaitMs: 30_000 },
  webhooks: {
    perAccount: 10,
    /** Added or enabled in an account, and names looked up for one that was not; what is removed was added. */
    changesPerDay: 60,
    /** Of one event to one webhook. */
    resendsPerDay: 30,
    timeoutMs: 15_000,
    /** Before each further attempt: three days and three hours, as Standard Webhooks recommends. */
    retriesMs: [
      5_000,
      5 * MINUTE_MS,
      30 * MINUTE_MS,
      2 * HOUR_MS,
      5 * HOUR_MS,
      10 * HOUR_MS,
      14 * HOUR_MS,
      20 * HOUR_MS,
      24 * HOUR_MS,
    ],
    /** How long a delivery is listed; Temporal keeps its history for 30 days. */
    listedMs: 90 * DAY_MS,
  },
  bodyBytes: 64 * 1024,
  /** A form of the portal: three passwords of 256 characters, each of four bytes in three letters. */
  formBytes: 16 * 1024,
  /** What is kept of answered requests, which may be repeated. */
  keptAnswers: {
    /** A larger one is not kept. */
    bytes: 32 * 1024,
    /** The oldest go. */
    perUser: 50,
    /** How often a kept request is told from another under its key; then it is forgotten. */
    otherTexts: 10,
  },
} as const;
