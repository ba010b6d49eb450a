import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const accounts = pgTable(
  "accounts",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull().unique(),
    kind: text("kind", { enum: ["panel", "cloud"] }).notNull(),
    requirement: text("requirement", { enum: ["optional", "required", "phishing_resistant"] })
      .notNull()
      .default("optional"),
    /** End of the grace period; null if a requirement applies at once. */
    enforceAfter: instant("enforce_after"),
    /** A second factor of any kind stays required while a requirement of a key has its grace period. */
    requiredMeanwhile: boolean("required_meanwhile").notNull().default(false),
    /** Counts the policy's changes, so that of two concurrent changes only one succeeds. */
    policyVersion: integer("policy_version").notNull().default(0),
    /** API keys also log in users who have a second factor; see docs/identity-v2.md. */
    apiKeysBypassMfa: boolean("api_keys_bypass_mfa").notNull().default(false),
    /** A verified device counts only after its user has turned multi-factor authentication on. */
    enablingIsOwnCall: boolean("enabling_is_own_call").notNull().default(false),
    /** Users may log in by a passkey alone, without their password. */
    passkeyLogin: boolean("passkey_login").notNull().default(true),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [
    check("accounts_kind", sql`${t.kind} in ('panel', 'cloud')`),
    check(
      "accounts_requirement",
      sql`${t.requirement} in ('optional', 'required', 'phishing_resistant')`,
    ),
    check("accounts_grace", sql`${t.enforceAfter} is null or ${t.requirement} <> 'optional'`),
  ],
);

export const users = pgTable(
  "users",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    /** In the form that `normalizeUsername` returns. */
    username: text("username").notNull().unique(),
    email: text("email"),
    passwordHash: text("password_hash").notNull(),
    role: text("role", { enum: ["member", "administrator", "support"] }).notNull(),
    defaultMethod: text("default_method", { enum: ["sms", "otp", "webauthn"] }),
    /** The user's own requirement, which overrides the account's. */
    requirement: text("requirement", { enum: ["optional", "required"] }),
    lockedAt: instant("locked_at"),
    lastLoginAt: instant("last_login_at"),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [
    index("users_by_account").on(t.accountId, t.username),
    index("users_by_username_prefix").on(t.username.op("text_pattern_ops")),
    check("users_role", sql`${t.role} in ('member', 'administrator', 'support')`),
    check("users_default_method", sql`${t.defaultMethod} in ('sms', 'otp', 'webauthn')`),
    check("users_requirement", sql`${t.requirement} in ('optional', 'required')`),
  ],
);

export const devices = pgTable(
  "devices",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    type: text("type", { enum: ["sms", "otp", "webauthn"] }).notNull(),
    name: text("name"),
    countryCode: text("country_code"),
    phoneNumber: text("phone_number"),
    /** Sealed for this device's ID; see store/sealing.ts. */
    secret: text("secret"),
    verifiedAt: instant("verified_at"),
    /** Proven, but inactive until the user turns multi-factor authentication on. */
    inactiveAt: instant("aside_at"),
    createdAt: instant("created_at").notNull(),
    /** When a login was last completed with it. */
    lastUsedAt: instant("last_used_at"),
  },
  (t) => [
    index("devices_by_user").on(t.userId, t.createdAt),
    uniqueIndex("devices_one_sms").on(t.userId).where(sql`${t.type} = 'sms'`),
    check("devices_type", sql`${t.type} in ('sms', 'otp', 'webauthn')`),
    check("devices_aside", sql`num_nonnulls(${t.verifiedAt}, ${t.inactiveAt}) < 2`),
    check("devices_e164", sql`${t.phoneNumber} ~ '^\\+[1-9][0-9]{1,14}$'`),
    check(
      "devices_fields",
      sql`case ${t.type}
        when 'sms' then num_nonnulls(${t.countryCode}, ${t.phoneNumber}) = 2 and ${t.secret} is null
        when 'otp' then num_nonnulls(${t.name}, ${t.secret}) = 2 and num_nulls(${t.countryCode}, ${t.phoneNumber}) = 2
        when 'webauthn' then ${t.name} is not null and num_nulls(${t.countryCode}, ${t.phoneNumber}, ${t.secret}) = 3
      end`,
    ),
  ],
);

/**
 * What a security key or passkey has given us. A device that is not verified yet may have one, too.
 * Triggers of migration 0008 keep builds away that know no keys.
 */
export const webauthnCredentials = pgTable(
  "webauthn_credentials",
  {
    deviceId: text("device_id")
      .primaryKey()
      .references(() => devices.id, { onDelete: "cascade" }),
    /** Base64url, as all of WebAuthn's JSON. No two users have the same credential. */
    credentialId: text("credential_id").notNull().unique(),
    /** The COSE key in base64url. */
    publicKey: text("public_key").notNull(),
    /** The highest signature counter seen; 0 for authenticators that do not count. */
    counter: bigint("counter", { mode: "number" }).notNull(),
    /** The authenticator's model. */
    aaguid: text("aaguid").notNull(),
    transports: text("transports").array().notNull(),
    /** May be copied to other devices of its owner (the flag BE). It never changes. */
    backupEligible: boolean("backup_eligible").notNull(),
    /** Was copied at the last use (BS). */
    backedUp: boolean("backed_up").notNull(),
    /**
     * Its user's unlocking counts as a factor: they unlocked it (UV) at its registration, or after
     * their password. Whoever finds a key without a PIN can give it one.
     */
    uvInitialized: boolean("uv_initialized").notNull().default(false),
  },
  (t) => [check("webauthn_credentials_counter", sql`${t.counter} between 0 and 4294967295`)],
);

export const recoveryCodes = pgTable(
  "recovery_codes",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    hash: text("hash").notNull(),
    setId: text("set_id").notNull(),
    createdAt: instant("created_at").notNull(),
    /** Null for a code that is valid until it is used or replaced. */
    expiresAt: instant("expires_at"),
    usedAt: instant("used_at"),
    /** The login challenge that spent the code. */
    usedBy: text("used_by"),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.hash] }),
    check("recovery_codes_use", sql`(${t.usedAt} is null) = (${t.usedBy} is null)`),
  ],
);

/** The key that a user's programs log in with; one per user. */
export const apiKeys = pgTable("api_keys", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  hash: text("hash").notNull(),
  createdAt: instant("created_at").notNull(),
});

export const accountLinks = pgTable(
  "account_links",
  {
    accountId: text("account_id").notNull(),
    linkedAccountId: text("linked_account_id").notNull(),
    linkedBy: text("linked_by").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.linkedAccountId] }),
    foreignKey({ columns: [t.accountId], foreignColumns: [accounts.id] }),
    foreignKey({ columns: [t.linkedAccountId], foreignColumns: [accounts.id] }),
    check("account_links_other", sql`${t.accountId} <> ${t.linkedAccountId}`),
  ],
);

/**
 * The audit trail: one partition for each month, and one for everything before. Its rows outlive
 * what they describe, so nothing here is a foreign key. A trigger refuses every update and delete.
 * Migration 0004 has what Drizzle cannot say: the partitions, the triggers and their functions.
 */
export const events = pgTable(
  "events",
  {
    id: bigint("id", { mode: "number" }).notNull().default(sql`nextval('events_id_seq')`),
    /** Names the fact, so that recording it twice adds one row: see `eventKeys`. */
    key: text("key").notNull(),
    at: instant("at").notNull(),
    accountId: text("account_id").notNull(),
    /** The user that the event is about. */
    userId: text("user_id"),
    /** Who did it; null for the service itself. */
    actorId: text("actor_id"),
    type: text("type").notNull(),
    ip: text("ip"),
    userAgent: text("user_agent"),
    workflowId: text("workflow_id"),
    detail: jsonb("detail").$type<Record<string, unknown>>().notNull().default({}),
  },
  (t) => [
    primaryKey({ columns: [t.id, t.at] }),
    index("events_by_user").on(t.userId, t.id),
    index("events_by_account").on(t.accountId, t.id),
    index("events_by_type").on(t.type, t.at),
    index("events_by_time").using("brin", t.at),
  ],
);

/**
 * The keys of recent events. A key cannot be unique in the partitions themselves, because each
 * unique index there must include the time.
 */
export const eventKeys = pgTable(
  "event_keys",
  {
    key: text("key").primaryKey(),
    eventId: bigint("event_id", { mode: "number" }).notNull(),
    at: instant("at").notNull(),
  },
  (t) => [index("event_keys_by_time").using("brin", t.at)],
);

/**
 * Events whose follow-ups have not started yet. A trigger adds every new event in the event's
 * transaction.
 */
export const eventQueue = pgTable("event_queue", {
  eventId: bigint("event_id", { mode: "number" }).primaryKey(),
  at: instant("at").notNull(),
  /** Until then one relay starts the follow-ups. Null if none does. */
  claimedUntil: instant("claimed_until"),
});

/** Events that are not in their account's chain yet. The same trigger adds them. */
export const eventChainQueue = pgTable(
  "event_chain_queue",
  {
    eventId: bigint("event_id", { mode: "number" }).notNull(),
    at: instant("at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.at] })],
);

/** Each account's events in the order in which they were chained: see store/events/event-hash.ts. */
export const eventChain = pgTable(
  "event_chain",
  {
    accountId: text("account_id").notNull(),
    /** 1, 2, 3, ... in each account. */
    seq: bigint("seq", { mode: "number" }).notNull(),
    eventId: bigint("event_id", { mode: "number" }).notNull(),
    at: instant("at").notNull(),
    /** SHA-256 in hexadecimal. */
    hash: text("hash").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.seq] }),
    uniqueIndex("event_chain_by_event").on(t.eventId, t.at),
    index("event_chain_by_time").using("brin", t.at),
    // A larger number would keep later links from being made.
    check("event_chain_seq", sql`${t.seq} between 1 and 9007199254740991`),
  ],
);

/** The parts of chains whose events were dropped when their time was over. */
export const eventChainDropped = pgTable(
  "event_chain_dropped",
  {
    accountId: text("account_id").notNull(),
    firstSeq: bigint("first_seq", { mode: "number" }).notNull(),
    lastSeq: bigint("last_seq", { mode: "number" }).notNull(),
    lastHash: text("last_hash").notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.lastSeq] })],
);

/** The partitions of `events` but for the default one. Only the owner of the tables writes here. */
export const eventPartitions = pgTable("event_partitions", {
  name: text("name").primaryKey(),
  /** Null for the partition of everything before the first month. */
  fromAt: instant("from_at"),
  /** The end, not included. */
  toAt: instant("to_at").notNull(),
});

/** How long events are kept; no row means for ever. Only the owner of the tables writes here. */
export const eventRetention = pgTable(
  "event_retention",
  {
    id: integer("id").primaryKey().default(1),
    months: integer("months").notNull(),
  },
  (t) => [check("event_retention_one", sql`${t.id} = 1 and ${t.months} >= 3`)],
);

/**
 * Devices whose enrollment may not have begun. The gateway that adds a device removes its row once
 * the enrollment has begun. After `dueAt` a worker begins it.
 */
export const enrollmentStarts = pgTable("enrollment_starts", {
  deviceId: text("device_id").primaryKey(),
  dueAt: instant("due_at").notNull(),
});

/** Where an account's events are sent. */
export const webhooks = pgTable(
  "webhooks",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    url: text("url").notNull(),
    /** Sealed for this webhook's id. */
    secret: text("secret").notNull(),
    /** Types of event; null for all. */
    types: text("types").array(),
    /** Why nothing is sent any more; null while the webhook is enabled. */
    disabledFor: text("disabled_for"),
    createdBy: text("created_by").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [index("webhooks_by_account").on(t.accountId, t.createdAt)],
);

/** One event on its way to one webhook. The workflow of the same ID moves it. */
export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    webhookId: text("webhook_id")
      .notNull()
      .references(() => webhooks.id, { onDelete: "cascade" }),
    eventId: bigint("event_id", { mode: "number" }).notNull(),
    state: text("state").notNull(),
    attempts: integer("attempts").notNull().default(0),
    /** The result of the last attempt: an HTTP status, or a word that never changes. */
    lastOutcome: text("last_outcome"),
    lastAttemptAt: instant("last_attempt_at"),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.webhookId, t.eventId] })],
);

/**
 * The Redis that this database works with: its generation, and how many beats of its heart are
 * known to be stored. One row. See docs/decisions/0040.
 */
export const redisGeneration = pgTable(
  "redis_generation",
  {
    only: boolean("only").primaryKey().default(true),
    generation: text("generation").notNull().default(""),
    beats: bigint("beats", { mode: "number" }).notNull().default(0),
    beatenAt: instant("beaten_at").notNull().defaultNow(),
    /** Why the generation began, and when; null for the first one. */
    cause: text("cause"),
    begunAt: instant("begun_at"),
  },
  (t) => [check("redis_generation_only", sql`${t.only}`)],
);

export type Account = typeof accounts.$inferSelect;
/** A user without the password's hash. Only `findUserByUsername` returns the hash. */
export type User = Omit<typeof users.$inferSelect, "passwordHash">;
export type Device = typeof devices.$inferSelect;
export type WebauthnCredential = typeof webauthnCredentials.$inferSelect;
export type AuditEvent = typeof events.$inferSelect;
export type EventPartition = typeof eventPartitions.$inferSelect;
export type Webhook = typeof webhooks.$inferSelect;
export type WebhookDelivery = typeof webhookDeliveries.$inferSelect;
export type Role = User["role"];
export type Requirement = Account["requirement"];
/** What an administrator requires of one user. */
export type UserRequirement = NonNullable<User["requirement"]>;
