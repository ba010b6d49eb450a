import { z } from "zod";
import { limits } from "./limits.ts";
import "./plain-faults.ts";

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

/** Schemes of a link to Support, and whether the rest alone is what people read. */
const SUPPORT_SCHEMES: Record<string, boolean> = { "mailto:": true, "tel:": true, "https:": false };

/** How to reach Support: `text` for people to read, and `href` where it is a link. */
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

/** The providers of SMS, in the order in which they are tried. */
const gateways = z
  .string()
  .default("outbox")
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(z.enum(["outbox", "twilio", "smpp"])).min(1));

const metricsAddress = z
  .string()
  .regex(/^\d+(\.\d+){3}:\d+$/, "must be an IPv4 address and a port, such as 0.0.0.0:9464")
  .optional();

/** A URL of this scheme, or of the one over TLS. */
const urlOf = (scheme: string) =>
  z.url({
    protocol: new RegExp(`^${scheme}s?$`),
    error: `must be a URL that starts with ${scheme}:// or ${scheme}s://`,
  });

const environment = z.object({
  NODE_ENV: z.enum(["development", "production", "test"]).default("development"),
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres://"),
  /** One server, or by `redis+cluster://host:port,host:port` some nodes of a Redis Cluster. */
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
  /** Where users and providers reach the gateway; its host ends each SMS as the origin of the code. */
  PUBLIC_URL: urlOf("http").optional(),
  SMS_GATEWAY: gateways,
  TWILIO_ACCOUNT_SID: z.string().regex(/^AC/, "must start with AC").optional(),
  TWILIO_AUTH_TOKEN: z.string().min(1).optional(),
  /** A number of yours, or a messaging service (MG...). */
  TWILIO_FROM: z.string().min(1).optional(),
  /** Another address of Twilio's API: an edge, a proxy, or a stand-in for tests. */
  TWILIO_BASE_URL: urlOf("http").optional(),
  /** `smpp://system-id:password@host:port`, or `smpps://` over TLS. */
  SMPP_URL: urlOf("smpp").optional(),
  SMPP_FROM: z.string().min(1).max(15).optional(),
  /** Messages an hour to one country's numbers, and to all; what is over is refused. */
  SMS_PER_COUNTRY_AND_HOUR: z.coerce.number().int().min(0).default(500),
  SMS_PER_HOUR: z.coerce.number().int().min(0).default(5000),
  /** `smtp://user:password@host:port`, or `smtps://`: notices to users go by it. */
  SMTP_URL: urlOf("smtp").optional(),
  MAIL_FROM: z.string().min(3).optional(),
  /** Webhooks may name addresses inside the network, and plain http. */
  WEBHOOKS_INSIDE: z.stringbool().default(false),
  /** `ip:port` at which Prometheus finds the gateway; 0.0.0.0 is every address of the machine. */
  METRICS_ADDRESS: metricsAddress,
  /** The same of the worker. */
  WORKER_METRICS_ADDRESS: metricsAddress,
  /** A file that scripts/bundle-workflows.ts has made of this code; without it a worker bundles. */
  WORKFLOW_BUNDLE: z.string().optional(),
  /** Names the code of a worker; with it, flows stay on the build that they began on. */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "must have 1 to 64 letters, digits, dots, hyphens and underscores")
    .optional(),
  /** Traces go there (OTLP over HTTP); without it none are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf("http").optional(),
  /** Proxies in front whose entry in X-Forwarded-For, or else Forwarded, is believed; 0 believes none. */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(5).default(0),
  /** Minutes until a locked user may try again; 0 keeps the lock until Support ends it. */
  LOCK_MINUTES: z.coerce.number().int().min(0).default(0),
  /** How locked users reach Support: a mailto:, tel: or https: link, or text; shown to everybody. */
  SUPPORT_CONTACT: supportContact.optional(),
  /** Administrators need a second factor, whatever their account requires; Support always does. */
  ADMINISTRATORS_NEED_MFA: z.stringbool().default(false),
});

type Environment = z.infer<typeof environment>;

/** The name of every setting. */
export const SETTINGS = Object.keys(environment.shape) as (keyof Environment)[];

/** What each part needs of the others, by the variable that turns it on. */
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
        context.addIssue({ code: "custom", path: [name], message: `is needed by ${of}` });
});

/** A variable set to nothing, as compose files write it, is one that is not set. */
const withoutEmpty = (env: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));

/** Reads and checks the environment once; throws an Error that lists every bad variable by name. */
export function loadConfig(env: Record<string, string | undefined> = process.env) {
  const parsed = checkedEnvironment.safeParse(withoutEmpty(env));
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

/**
 * Has the Rust core of Temporal's SDK work on one thread unless told otherwise, which is enough: more
 * look for work and take a processor from who has some. Tokio asks the environment alone.
 */
export function limitTemporalCore(): void {
  process.env.TOKIO_WORKER_THREADS ??= "1";
}
