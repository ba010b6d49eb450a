import { DAY_MS, HOUR_MS, MINUTE_MS } from "./units.ts";

/** The settings that are limits. */
type LimitSettings = Record<
  | "PIN_DIGITS"
  | "PIN_MINUTES"
  | "PIN_TRIES"
  | "PASSCODE_MINUTES"
  | "CHALLENGE_MINUTES"
  | "WRONG_PASSCODES"
  | "OTP_DEVICES_PER_USER"
  | "SESSION_HOURS"
  | "SESSION_IDLE_MINUTES"
  | "RECENT_LOGIN_MINUTES"
  | "PASSWORD_MIN_LENGTH"
  | "WEBHOOKS_PER_ACCOUNT",
  number
> & { TEMPORAL_RETENTION_DAYS?: number };

/** Budgets and lifetimes, some of them by settings; durations in ms. */
export const limitsOf = (settings: LimitSettings) => ({
  pin: {
    digits: settings.PIN_DIGITS,
    lifetimeMs: settings.PIN_MINUTES * MINUTE_MS,
    tries: settings.PIN_TRIES,
    perDay: 10,
    intervalMs: 30_000,
  },
  passcode: {
    digits: 7,
    lifetimeMs: settings.PASSCODE_MINUTES * MINUTE_MS,
    intervalMs: 30_000,
    perHour: 20,
  },
  numberSendsPerDay: 60,
  numberSendsPerHour: 30,
  challengeMs: settings.CHALLENGE_MINUTES * MINUTE_MS,
  enrollmentMs: 7 * DAY_MS,
  /**
   * How long the browser that started a set-up may show its QR code and full phone number again.
   */
  setUpShownMs: 15 * MINUTE_MS,
  /** Consecutive wrong passcodes allowed; one more locks the user. */
  wrongPasscodes: settings.WRONG_PASSCODES,
  /**
   * Attempts at passcodes and PINs that a user gets back after outages in 24 hours; more stay
   * spent.
   */
  refundsPerDay: 10,
  /**
   * Requests that one flow accepts, including refused ones; one more ends it. Temporal refuses all
   * further Updates of a workflow after 2,000 (history.maxTotalUpdates).
   */
  flowRequests: { challenge: 60, enrollment: 100, recounts: 50 },
  policyChangesPerDay: 60,
  otpDevices: settings.OTP_DEVICES_PER_USER,
  /** Security keys and passkeys that a user may have. */
  keys: 10,
  /** How long the registration of a key may take. Nobody carries it about for a week. */
  keyEnrollmentMs: 10 * MINUTE_MS,
  /** Answers of keys that one challenge judges; one more ends it. */
  assertionsPerChallenge: 20,
  passkeys: {
    /** How long a login page may offer a login by passkey before it needs another nonce. */
    lifetimeMs: 5 * MINUTE_MS,
    /** Refused logins by passkey from one address. */
    perAddress: { limit: 50, windowMs: 15 * MINUTE_MS },
  },
  /**
   * Devices, codes, settings and links that a user may add or change in 24 hours. Also how often, all
   * together, others may promote a user or ease their requirement. Resets of a user without a device
   * count too, but above the limit they only leave no event.
   */
  changesPerDay: 100,
  addressChangesPerDay: 10,
  /** Notices by email. More are dropped. Half of each budget is reserved for important notices. */
  notices: {
    /** To one address: from all accounts together, and from one account. */
    address: { perHour: 60, perDay: 150 },
    addressFromAccount: { perHour: 20, perDay: 50 },
    /** From one account to all addresses. */
    allOfAccount: { perHour: 1000, perDay: 5000 },
  },
  session: {
    absoluteMs: settings.SESSION_HOURS * HOUR_MS,
    idleMs: settings.SESSION_IDLE_MINUTES * MINUTE_MS,
    /** Of a session to set up the first device. A longer one could not change devices any more. */
    setupMs: settings.RECENT_LOGIN_MINUTES * MINUTE_MS,
    recentLoginMs: settings.RECENT_LOGIN_MINUTES * MINUTE_MS,
  },
  password: {
    /** The shortest new password. */
    minLength: settings.PASSWORD_MIN_LENGTH,
    perUser: 10,
    perAddress: 50,
    windowMs: 15 * MINUTE_MS,
    /** Logins of a user name from one address, right or wrong: each costs a hash. */
    logins: { limit: 120, windowMs: MINUTE_MS },
    /**
     * Logins of a user after the right password, from all addresses: each is an event or a workflow.
     */
    right: { limit: 600, windowMs: HOUR_MS },
    /** Passwords that a user sets, for themselves or for users they add: each costs a hash. */
    made: { limit: 60, windowMs: 10 * MINUTE_MS },
    /** From addresses that the user has not logged in from; NIST SP 800-63B-4 3.2.2 allows 100. */
    fromStrangersPerDay: 100,
    /** How many of a user's addresses are known. The least recently used one is forgotten. */
    knownAddresses: 10,
    /**
     * Wrong passwords from a known address since the last login from there. After more, it counts
     * as unknown.
     */
    fromKnown: 10,
  },
  /**
   * How often the relay polls for new events, how many it takes at once, and its longest wait after
   * failures. After `claimMs` another relay takes what this one has not finished.
   */
  relay: { pollMs: 1000, batch: 20, longestWaitMs: 30_000, claimMs: 30_000 },
  /** The same for enrollments that their gateway could not begin. */
  overdueEnrollments: { pollMs: 10_000, batch: 20, longestWaitMs: 60_000 },
  /** The same for the chains of events. A batch holds a lock, but none that a login needs. */
  chaining: { pollMs: 2_000, batch: 500, longestWaitMs: 60_000 },
  events: {
    /** How many months ahead their partitions are made. */
    monthsAhead: 3,
    /** How long a fact's key is known. A reset repeats what is within Temporal's retention. */
    keysMs: (Math.max(30, settings.TEMPORAL_RETENTION_DAYS ?? 30) + 10) * DAY_MS,
  },
  /** Users whom an account's administrators add, however many administrators there are. */
  newUsersPerDay: 2_000,
  /** Exports of a user under way in a process, and how long one may take. */
  exports: { atOnce: 2, lastsMs: 10 * MINUTE_MS },
  webhooks: {
    perAccount: settings.WEBHOOKS_PER_ACCOUNT,
    /**
     * Webhooks that an account adds or enables, and refused ones for which a name was looked up.
     * Removing is free.
     */
    changesPerDay: 60,
    /** For one event to one webhook. */
    resendsPerDay: 30,
    timeoutMs: 15_000,
    /** Calls for one account at once, in each process of the worker. */
    atOnce: 4,
    /**
     * The wait before each further attempt: three days and three hours in total, as Standard
     * Webhooks recommends.
     */
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
    /** A delivery that failed sooner, because it was sent again by hand, disables nothing. */
    failingMs: DAY_MS,
    /** How long a delivery is listed. Temporal keeps its history for TEMPORAL_RETENTION_DAYS. */
    listedMs: 90 * DAY_MS,
  },
  bodyBytes: 64 * 1024,
  /**
   * A form of the portal: three passwords of 256 characters, each character up to four bytes of
   * three letters.
   */
  formBytes: 16 * 1024,
  /** Answers that are stored for repeated requests. */
  storedResponses: {
    /** A larger answer is not stored. */
    bytes: 32 * 1024,
    /** The oldest are deleted first. */
    perUser: 50,
    /** How many requests with other content are refused for a key before it is forgotten. */
    otherTexts: 10,
  },
});
