import { z } from "zod";
import {
  certificates,
  domain,
  keyring,
  keysOrKey,
  metricsAddress,
  origins,
  privateKey,
  providers,
  supportContact,
  urlOf,
  whole,
} from "./kinds.ts";
import { isRedisUrl } from "./redis-urls.ts";

/**
 * Every setting, by subject. The texts are the ones of docs/configuration.md and `config check`. A
 * `secret` is never shown, and can come from a file. `missing` is said in addition to that it is
 * missing. `development` is the default where NODE_ENV is not production.
 */
export const SETTING_GROUPS = {
  "The process": {
    NODE_ENV: z.enum(["production", "development", "test"]).default("production").meta({
      description:
        "`npm start`, `npm run dev`, the tests and the benchmark set another one by name. Everywhere else it is production.",
    }),
    HOST: z.string().default("127.0.0.1").meta({ description: "The gateway's address." }),
    PORT: whole(0, 65535).default(8080).meta({ description: "The gateway's port." }),
    DRAIN_SECONDS: whole(0, 120).default(5).meta({
      unit: "seconds",
      description:
        "How long a gateway still serves after a stop signal. Meanwhile `/readyz` answers 503, so that balancers send new requests elsewhere.",
    }),
    LOG_LEVEL: z
      .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
      .default("info")
      .meta({ description: "The least important lines that are logged." }),
    SERVICE_NAME: z.string().min(1).max(30).default("Second Step").meta({
      description: "Your service's name on pages, in messages and in authenticator apps.",
    }),
    PUBLIC_URL: urlOf("http").optional().meta({
      description:
        "The public URL of the service, for users and providers. Its host ends each SMS as the origin of the code, and mails link to it.",
    }),
    TRUSTED_PROXIES: whole(0, 5).default(0).meta({
      unit: "proxies",
      description:
        "How many proxies in front are trusted to set X-Forwarded-For, or else Forwarded; 0 trusts none.",
    }),
  },
  "Security keys and passkeys": {
    WEBAUTHN_RP_ID: domain.optional().meta({
      description:
        "The domain that security keys and passkeys are bound to. It cannot be changed later without registering every key again: docs/passkeys.md. By default the host of PUBLIC_URL.",
    }),
    WEBAUTHN_ORIGINS: origins.optional().meta({
      description:
        "The origins whose pages may ask for a key, separated by commas. By default the origin of PUBLIC_URL.",
    }),
  },
  "Stores and Temporal": {
    DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\//, "must start with postgres://")
      .meta({
        secret: true,
        description:
          "PostgreSQL: `postgres://user:password@host:5432/name`; with `?sslmode=verify-full` at its end over TLS, with the server's certificate checked. docs/installing.md has more.",
      }),
    DATABASE_POOL_SIZE: whole(4, 100).default(10).meta({
      unit: "connections",
      description:
        "The most connections to PostgreSQL of one gateway or worker. A gateway opens two more for exports.",
    }),
    DATABASE_NAMED_STATEMENTS: z.stringbool().default(true).meta({
      description:
        "Plans each statement once for each connection. Set it to false behind a pooler in transaction mode that does not know named statements, such as PgBouncer before 1.21.",
    }),
    DATABASE_OWNER_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\//, "must start with postgres://")
      .optional()
      .meta({
        secret: true,
        description:
          'PostgreSQL as the owner of the tables, for the migration alone. Without it the service\'s own role owns them and could change events: docs/operations.md, "The audit trail".',
      }),
    EVENTS_RETENTION_MONTHS: whole(3, 1200).optional().meta({
      unit: "months",
      description:
        "How long events are kept, by whole months. The migration sets it, so that only the owner of the tables can. Without it they are kept for ever.",
    }),
    EVENTS_EXPORT_DIR: z.string().min(1).optional().meta({
      description:
        "A folder of the worker: events are written there, as NDJSON by gzip, before they are dropped.",
    }),
    REDIS_URL: z
      .string()
      .refine(isRedisUrl, {
        message:
          "must start with redis:// or rediss://, or be redis+cluster://host:port,host:port (rediss+cluster) or redis+sentinel://host:port,host:port/master (rediss+sentinel); after :// may stand user:password@, or :password@, with :@/ and % percent-encoded",
      })
      .meta({
        secret: true,
        description:
          "One server, `redis://:password@host:6379`; or some nodes of a Redis Cluster, `redis+cluster://host:port,host:port`; or Sentinels and their master's name, `redis+sentinel://host:port,host:port/name`; `rediss` is TLS.",
      }),
    TEMPORAL_ADDRESS: z.string().min(1).meta({ description: "Temporal's frontend: `host:7233`." }),
    TEMPORAL_NAMESPACE: z
      .string()
      .min(1)
      .default("default")
      .meta({ description: "Temporal's namespace." }),
    TEMPORAL_TLS: z.stringbool().default(false).meta({
      description: "Reaches Temporal over TLS. The other TLS settings and the API key need it.",
    }),
    TEMPORAL_TLS_CA: certificates.optional().meta({
      secret: true,
      description:
        "The certificates, in PEM, of the authorities that may sign the server's certificate. Without it, the usual public ones.",
    }),
    TEMPORAL_TLS_CERT: certificates.optional().meta({
      secret: true,
      description: "This client's certificate, in PEM, for a server that asks for one (mTLS).",
    }),
    TEMPORAL_TLS_KEY: privateKey.optional().meta({
      secret: true,
      description: "The private key of TEMPORAL_TLS_CERT, in PEM.",
    }),
    TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional().meta({
      description:
        "The name in the server's certificate, if it is not the host of TEMPORAL_ADDRESS.",
    }),
    TEMPORAL_API_KEY: z
      .string()
      .regex(/^[\x21-\x7e]+$/, "must have no spaces, and only ASCII characters")
      .optional()
      .meta({
        secret: true,
        description: "Sent with each call to Temporal as `authorization: Bearer ...`.",
      }),
    TEMPORAL_RETENTION_DAYS: whole(7, 365).optional().meta({
      unit: "days",
      description:
        "How long Temporal keeps ended flows. Without it a new namespace gets 30 days, and an existing one stays as it is.",
    }),
    WORKFLOW_BUNDLE: z.string().optional().meta({
      description:
        "A file that scripts/bundle-workflows.ts made from this code. Without it each worker makes the bundle at start-up.",
    }),
    WORKER_BUILD_ID: z
      .string()
      .regex(/^[\w.-]{1,64}$/, "must have 1 to 64 letters, digits, dots, hyphens and underscores")
      .optional()
      .meta({
        description:
          "Names a worker's build. With it, flows stay on the build on which they started.",
      }),
  },
  Keys: {
    SEALING_KEYS: keyring.meta({
      secret: true,
      description:
        "Seal secrets at rest: `id:key`, with a key of `openssl rand -base64 32`. The first key seals; all of them unseal: `new:key,old:key`.",
    }),
    CODE_KEY: keysOrKey.meta({
      secret: true,
      description:
        "Hashes passcodes, PINs, recovery codes and API keys: `openssl rand -base64 32`. To replace it, list keys as in SEALING_KEYS, `new:key,old:key`: the first hashes, all of them check. docs/disaster-recovery.md says how.",
    }),
  },
  "Text messages": {
    SMS_GATEWAY: providers.meta({
      missing: "Name your SMS providers: smpp, twilio, or both. See docs/sms.md.",
      description:
        "The SMS providers, in the order in which they are tried: `smpp`, `twilio`, or `smpp,twilio`. `outbox` is for development: it reaches no phone, and opens `/dev/phone` and `/dev/outbox`.",
    }),
    SMS_PER_HOUR: whole(0, 1_000_000_000).meta({
      development: "5000",
      unit: "messages per hour",
      missing: 'Size it from your users: docs/sms.md, "How many messages an hour".',
      description:
        "The most messages of the whole service. More are refused. 0 turns SMS off. docs/sms.md says how to size it.",
    }),
    SMS_PER_COUNTRY_AND_HOUR: whole(0, 1_000_000_000).meta({
      development: "500",
      unit: "messages per hour",
      missing: 'Size it from your users: docs/sms.md, "How many messages an hour".',
      description: "The most messages to the numbers of one calling code. More are refused.",
    }),
    TWILIO_ACCOUNT_SID: z
      .string()
      .regex(/^AC/, "must start with AC")
      .optional()
      .meta({ description: "Twilio's account: `AC...`." }),
    TWILIO_AUTH_TOKEN: z.string().min(1).optional().meta({
      secret: true,
      description: "Authenticates requests to Twilio, and Twilio's reports to the gateway.",
    }),
    TWILIO_FROM: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "One of your numbers (`+1...`), or a messaging service (`MG...`)." }),
    TWILIO_BASE_URL: urlOf("http").optional().meta({
      description: "Another address of Twilio's API: an edge, a proxy, or a stand-in for tests.",
    }),
    SMPP_URL: urlOf("smpp").optional().meta({
      secret: true,
      description:
        "`smpp://system-id:password@host:2775`, or `smpps://` over TLS; percent-encode `:@/`.",
    }),
    SMPP_FROM: z.string().min(1).max(15).optional().meta({
      description: "A number (`+1...`), a short code (digits), or a name of at most 11 characters.",
    }),
  },
  Mail: {
    SMTP_URL: urlOf("smtp").optional().meta({
      secret: true,
      description: "Sends notices to users: `smtp://user:password@host:587`, or `smtps://`.",
    }),
    MAIL_FROM: z.string().min(3).optional().meta({ description: "The sender of mails." }),
  },
  "PINs, passcodes and the lock": {
    PIN_DIGITS: whole(4, 8).default(4).meta({
      unit: "digits",
      description: "The length of a PIN, which verifies a phone. NIST and ASVS ask for 6.",
    }),
    PIN_MINUTES: whole(1, 30).default(10).meta({
      unit: "minutes",
      description: "How long a PIN is valid. NIST and ASVS allow 10.",
    }),
    PIN_TRIES: whole(1, 10)
      .default(5)
      .meta({ unit: "tries", description: "Wrong tries that make a PIN void." }),
    PASSCODE_MINUTES: whole(1, 30).default(10).meta({
      unit: "minutes",
      description:
        "How long a passcode by SMS is valid, at most until its login ends. NIST and ASVS allow 10.",
    }),
    CHALLENGE_MINUTES: whole(2, 30)
      .default(10)
      .meta({ unit: "minutes", description: "How long the second step of a login is open." }),
    WRONG_PASSCODES: whole(2, 10).default(6).meta({
      unit: "passcodes",
      description: "Wrong passcodes in a row that a user may enter. One more locks the user.",
    }),
    LOCK_MINUTES: whole(0, 525_600).default(0).meta({
      unit: "minutes",
      description:
        "Until a locked user may try again. With 0 the lock stays until Support ends it.",
    }),
    OTP_DEVICES_PER_USER: whole(1, 10)
      .default(5)
      .meta({ unit: "devices", description: "Authenticator apps that a user may have." }),
  },
  "Sessions and passwords": {
    SESSION_HOURS: whole(1, 720)
      .default(24)
      .meta({ unit: "hours", description: "The longest life of a session." }),
    SESSION_IDLE_MINUTES: whole(5, 1440)
      .default(60)
      .meta({ unit: "minutes", description: "Without use, a session ends after this time." }),
    RECENT_LOGIN_MINUTES: whole(2, 60).default(15).meta({
      unit: "minutes",
      description:
        "How long after a login a user may change devices, passwords and settings. A session to set up the first device lives as long.",
    }),
    PASSWORD_MIN_LENGTH: whole(8, 64).default(8).meta({
      unit: "characters",
      description:
        "The shortest new password. NIST asks for 15 where a password alone is enough to log in.",
    }),
    ADMINISTRATORS_NEED_MFA: z.stringbool().default(false).meta({
      description:
        "Administrators need a second factor, whatever their account requires. Support always needs one.",
    }),
    SUPPORT_CONTACT: supportContact.optional().meta({
      description:
        "How locked users reach Support: a mailto:, tel: or https: link, or text. Everybody can see it.",
    }),
  },
  Webhooks: {
    WEBHOOKS_PER_ACCOUNT: whole(1, 50)
      .default(10)
      .meta({ unit: "webhooks", description: "Webhooks that an account may have." }),
    WEBHOOKS_INSIDE: z.stringbool().default(false).meta({
      description: "Allows webhooks to addresses inside the network, and over plain http.",
    }),
  },
  "Metrics and traces": {
    METRICS_ADDRESS: metricsAddress.optional().meta({
      description:
        "`ip:port` of the gateway's metrics for Prometheus. 0.0.0.0 means every address of the machine.",
    }),
    WORKER_METRICS_ADDRESS: metricsAddress
      .optional()
      .meta({ description: "`ip:port` of the worker's metrics." }),
    WORKER_PROBES_ADDRESS: metricsAddress.optional().meta({
      description:
        "`ip:port` of the worker's `/livez` and `/readyz`. The image sets 0.0.0.0:9466. Without it the worker answers no probes.",
    }),
    OTEL_EXPORTER_OTLP_ENDPOINT: urlOf("http").optional().meta({
      secret: true,
      description: "The receiver of traces (OTLP over HTTP). Without it no traces are made.",
    }),
  },
};

/** The schema of all settings together. */
export const environment = z.object({
  ...SETTING_GROUPS["The process"],
  ...SETTING_GROUPS["Security keys and passkeys"],
  ...SETTING_GROUPS["Stores and Temporal"],
  ...SETTING_GROUPS.Keys,
  ...SETTING_GROUPS["Text messages"],
  ...SETTING_GROUPS.Mail,
  ...SETTING_GROUPS["PINs, passcodes and the lock"],
  ...SETTING_GROUPS["Sessions and passwords"],
  ...SETTING_GROUPS.Webhooks,
  ...SETTING_GROUPS["Metrics and traces"],
});

/** The value of each setting. */
export type Environment = z.infer<typeof environment>;

/** What can be set. */
export type SettingName = keyof Environment;
