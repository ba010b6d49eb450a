import { z } from "zod";
import { limits } from "./limits.ts";
import "./plain-faults.ts";

/** A 32-byte key written as base64. */
const key = z.base64().refine((text) => Buffer.from(text, "base64").length === 32, {
  message: "must be 32 bytes, base64-encoded (make one with: openssl rand -base64 32)",
});

/** `id:base64key,id:base64key`. The first key seals; all of them unseal. */
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

/** The allowed schemes of a link to Support. True: people read only the part after the scheme. */
const SUPPORT_SCHEMES: Record<string, boolean> = { "mailto:": true, "tel:": true, "https:": false };

/** How to reach Support: `text` for people to read, and `href` if it is a link. */
export type SupportContact = { text: string; href?: string };

const supportContact = z
  .string()
  .trim()
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "must be one line of text, or a link")
  .transform((text, context): SupportContact => {
    if (!/^[a-z][a-z\d+.-]*:\S/i.test(text)) return { text };
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const bare = url && SUPPORT_SCHEMES[url.protocol];
    if (url === undefined || bare === undefined) {
      const message = "must be a mailto:, tel: or https: link, or text without a scheme";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    return { text: bare ? decodeURIComponent(url.pathname) : text, href: url.href };
  });

/** The SMS providers, in the order in which they are tried. */
const gateways = z
  .string()
  .default("outbox")
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(z.enum(["outbox", "twilio", "smpp"])).min(1));

const metricsAddress = z
  .string()
  .regex(/^\d+(\.\d+){3}:\d+$/, "must be an IPv4 address and a port, such as 0.0.0.0:9464")
  .optional();

/** A URL with this scheme, or with its variant over TLS. */
const urlOf = (scheme: string) =>
  z.url({
    protocol: new RegExp(`^${scheme}s?$`),
    error: `must be a URL that starts with ${scheme}:// or ${scheme}s://`,
  });

const environment = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  /**
   * Seconds between a stop signal and the last request that a gateway takes. Meanwhile `/readyz`
   * answers 503, so that balancers send new requests elsewhere.
   */
  DRAIN_SECONDS: z.coerce.number().int().min(0).max(120).default(5),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://"),
  /** One server, or some nodes of a Redis Cluster: `redis+cluster://host:port,host:port`. */
  REDIS_URL: z
    .string()
    .regex(
      /^rediss?(\+cluster)?:\/\//,
      "must start with redis:// or rediss://, or with redis+cluster:// or rediss+cluster://",
    ),
  TEMPORAL_ADDRESS: z.string().min(1),
  TEMPORAL_NAMESPACE: z.string().min(1).default("default"),
  SEALING_KEYS: keyring,
  CODE_KEY: key.transform((text) => Buffer.from(text, "base64")),
  SERVICE_NAME: z.string().min(1).max(30).default("Second Step"),
  /**
   * The public URL of the service, for users and providers. Its host ends each SMS as the origin of
   * the code.
   */
  PUBLIC_URL: urlOf("http").optional(),
  SMS_GATEWAY: gateways,
  TWILIO_ACCOUNT_SID: z.string().regex(/^AC/, "must start with AC").optional(),
  TWILIO_AUTH_TOKEN: z.string().min(1).optional(),
  /** One of your numbers, or a messaging service (MG...). */
  TWILIO_FROM: z.string().min(1).optional(),
  /** Another address of Twilio's API: an edge, a proxy, or a stand-in for tests. */
  TWILIO_BASE_URL: urlOf("http").optional(),
  /** `smpp://system-id:password@host:port`, or `smpps://` over TLS. */
  SMPP_URL: urlOf("smpp").optional(),
  SMPP_FROM: z.string().min(1).max(15).optional(),
  /** Messages per hour to the numbers of one country, and to all numbers. More are refused. */
  SMS_PER_COUNTRY_AND_HOUR: z.coerce.number().int().min(0).default(500),
  SMS_PER_HOUR: z.coerce.number().int().min(0).default(5000),
  /** `smtp://user:password@host:port`, or `smtps://`. Sends notices to users. */
  SMTP_URL: urlOf("smtp").optional(),
  MAIL_FROM: z.string().min(3).optional(),
  /** Allows webhooks to addresses inside the network, and over plain http. */
  WEBHOOKS_INSIDE: z.stringbool().default(false),
  /**
   * `ip:port` of the gateway's metrics for Prometheus. 0.0.0.0 means every address of the
   * machine.
   */
  METRICS_ADDRESS: metricsAddress,
  /** `ip:port` of the worker's metrics. */
  WORKER_METRICS_ADDRESS: metricsAddress,
  /**
   * A file that scripts/bundle-workflows.ts made from this code. Without it each worker makes the
   * bundle at start-up.
   */
  WORKFLOW_BUNDLE: z.string().optional(),
  /** Names a worker's build. With it, flows stay on the build on which they started. */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "must have 1 to 64 letters, digits, dots, hyphens and underscores")
    .optional(),
  /** The receiver of traces (OTLP over HTTP). Without it no traces are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf("http").optional(),
  /**
   * How many proxies in front are trusted to set X-Forwarded-For, or else Forwarded; 0 trusts none.
   */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(5).default(0),
  /** Minutes until a locked user may try again. With 0 the lock stays until Support ends it. */
  LOCK_MINUTES: z.coerce.number().int().min(0).default(0),
  /**
   * How locked users reach Support: a mailto:, tel: or https: link, or text. Everybody can see it.
   */
  SUPPORT_CONTACT: supportContact.optional(),
  /**
   * Administrators need a second factor, whatever their account requires. Support always needs one.
   */
  ADMINISTRATORS_NEED_MFA: z.stringbool().default(false),
});

type Environment = z.infer<typeof environment>;

/** The names of all settings. */
export const SETTINGS = Object.keys(environment.shape) as (keyof Environment)[];

/** Settings that a feature needs, by the setting that turns it on. */
const NEEDED: { by: (env: Environment) => boolean; names: (keyof Environment)[]; of: string }[] = [
  {
    by: ({ SMS_GATEWAY }) => SMS_GATEWAY.includes("twilio"),
    names: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"],
    of: "SMS_GATEWAY=twilio",
  },
  {
    by: ({ SMS_GATEWAY }) => SMS_GATEWAY.includes("smpp"),
    names: ["SMPP_URL", "SMPP_FROM"],
    of: "SMS_GATEWAY=smpp",
  },
  { by: ({ SMTP_URL }) => SMTP_URL !== undefined, names: ["MAIL_FROM"], of: "SMTP_URL" },
];

const checkedEnvironment = environment.superRefine((env, context) => {
  for (const { by, names, of } of NEEDED)
    for (const name of by(env) ? names : [])
      if (env[name] === undefined)
        context.addIssue({ code: "custom", path: [name], message: `is required by ${of}` });
});

/** An empty variable, as compose files write it, counts as not set. */
const withoutEmpty = (env: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));

/** Reads and checks the environment. Throws an Error that lists every bad variable by name. */
export function loadConfig(env: Record<string, string | undefined> = process.env) {
  const parsed = checkedEnvironment.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The configuration is not valid:\n${lines.join("\n")}`);
  }
  return Object.freeze({ ...parsed.data, limits });
}

export type Config = ReturnType<typeof loadConfig>;
export type Limits = Config["limits"];

/** Returns the time in epoch ms. Only entry points use the machine's clock. */
export type Clock = { now(): number };

/**
 * Limits the Rust core of Temporal's SDK to one thread, unless the environment says otherwise. One
 * is enough: extra idle threads only take CPU time from busy ones. Tokio reads only the
 * environment.
 */
export function limitTemporalCore(): void {
  process.env.TOKIO_WORKER_THREADS ??= "1";
}
