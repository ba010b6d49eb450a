import { z } from "zod";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A 32-byte key written as base64. */
const key = z.base64().refine((text) => Buffer.from(text, "base64").length === 32, {
  message: "must be 32 bytes, base64-encoded (make one with: openssl rand -base64 32)",
});

/** `id:base64key,id:base64key`; the first seals, all of them unseal. */
const keyring = z.string().transform((text, context) => {
  const keys = text.split(",").map((entry) => {
    const [id = "", value = ""] = entry.trim().split(":");
    return { id, value };
  });
  const ids = new Set(keys.map(({ id }) => id));
  const valid =
    ids.size === keys.length &&
    keys.every(({ id, value }) => /^[a-z0-9-]{1,16}$/.test(id) && key.safeParse(value).success);
  if (!valid) {
    context.addIssue({
      code: "custom",
      message: "must be id:key[,id:key...] with distinct ids of a-z 0-9 - and 32-byte base64 keys",
    });
    return z.NEVER;
  }
  return keys.map(({ id, value }) => ({ id, key: Buffer.from(value, "base64") }));
});

const environment = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://"),
  REDIS_URL: z.string().regex(/^rediss?:\/\//, "must start with redis:// or rediss://"),
  TEMPORAL_ADDRESS: z.string().min(1),
  TEMPORAL_NAMESPACE: z.string().min(1).default("default"),
  SEALING_KEYS: keyring,
  CODE_KEY: key.transform((text) => Buffer.from(text, "base64")),
  SERVICE_NAME: z.string().min(1).max(30).default("Second Step"),
  SMS_GATEWAY: z.enum(["outbox"]).default("outbox"),
  /** Proxies in front of the gateway whose X-Forwarded-For entry is believed; 0 believes none. */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(5).default(0),
  /** Minutes until a locked user may try again; 0 keeps the lock until Support ends it. */
  LOCK_MINUTES: z.coerce.number().int().min(0).default(0),
});

/** Budgets and lifetimes; durations in ms. */
const limits = {
  pin: { digits: 4, lifetimeMs: 10 * MINUTE_MS, tries: 5, perDay: 10, intervalMs: 30_000 },
  passcode: { digits: 7, lifetimeMs: 10 * MINUTE_MS, intervalMs: 30_000, perHour: 20 },
  numberSendsPerDay: 60,
  challengeMs: 10 * MINUTE_MS,
  enrollmentMs: 7 * DAY_MS,
  /** Consecutive wrong passcodes allowed; one more locks. */
  wrongPasscodes: 6,
  otpDevices: 5,
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
    /** From addresses that the user has not logged in from; NIST SP 800-63B-4 3.2.2 allows 100. */
    fromStrangersPerDay: 100,
  },
  bodyBytes: 64 * 1024,
} as const;

/** Reads and checks the environment once; throws an Error that lists every bad variable by name. */
export function loadConfig(env: Record<string, string | undefined> = process.env) {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The configuration is incomplete:\n${lines.join("\n")}`);
  }
  return Object.freeze({ ...parsed.data, limits });
}

export type Config = ReturnType<typeof loadConfig>;
export type Limits = Config["limits"];

/** Tells the time in epoch ms. Only entry points use the machine's own. */
export type Clock = { now(): number };
