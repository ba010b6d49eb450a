import type { Config } from "../../config.ts";
import { expiredSince } from "../../settings/certificates.ts";

const LOOPBACK = /^(localhost|127\.|\[?::1\]?$)/;

/** Doubts about the settings at the time `now` (epoch ms), by the setting to change. */
export function doubtsOf(config: Config, now: number): Partial<Record<keyof Config, string>> {
  const { NODE_ENV, PUBLIC_URL, TRUSTED_PROXIES, SMS_GATEWAY, SMTP_URL, REDIS_URL } = config;
  const { CODE_KEY, DATABASE_OWNER_URL, SUPPORT_CONTACT } = config;
  const { WEBHOOKS_INSIDE, METRICS_ADDRESS, WORKER_METRICS_ADDRESS } = config;
  const unmeasured = "It is not set, so Prometheus cannot read these metrics.";
  const doubts: Partial<Record<keyof Config, string | false | undefined>> = {
    NODE_ENV: NODE_ENV !== "production" && "Set it to production where real users log in.",
    PUBLIC_URL: !PUBLIC_URL
      ? "Messages do not name the site, and mails hold no links."
      : PUBLIC_URL.startsWith("http:") && "Passwords cross the network unencrypted. Use https.",
    TRUSTED_PROXIES:
      TRUSTED_PROXIES === 0 &&
      PUBLIC_URL?.startsWith("https:") &&
      "TLS ends at a proxy, but no proxy is trusted: all users share its address and are throttled together.",
    CODE_KEY:
      CODE_KEY.length > 1 &&
      "It lists older keys. `keys code-key` says how many API keys and recovery codes still need one.",
    SMS_GATEWAY: SMS_GATEWAY.includes("outbox") && "Messages reach no phone.",
    SMTP_URL: !SMTP_URL && "Users are sent no notifications by email.",
    SUPPORT_CONTACT: !SUPPORT_CONTACT && "Locked users are not told how to reach Support.",
    DATABASE_OWNER_URL:
      DATABASE_OWNER_URL &&
      "Only the migration needs it. A service that has it could change its audit trail.",
    REDIS_URL:
      !isLocal(REDIS_URL) &&
      !/:\/\/[^@/]*:[^@/]+@/.test(REDIS_URL) &&
      "It has no password: anyone who reaches Redis can create sessions.",
    TEMPORAL_TLS_CA: expiry(config.TEMPORAL_TLS_CA, now),
    TEMPORAL_TLS_CERT: expiry(config.TEMPORAL_TLS_CERT, now),
    WEBHOOKS_INSIDE: WEBHOOKS_INSIDE && "Webhooks may call addresses inside your network.",
    METRICS_ADDRESS: !METRICS_ADDRESS && unmeasured,
    WORKER_METRICS_ADDRESS: !WORKER_METRICS_ADDRESS && unmeasured,
  };
  return Object.fromEntries(Object.entries(doubts).filter(([, doubt]) => doubt));
}

function expiry(certificates: string | undefined, now: number): string | false {
  const end = certificates && expiredSince(certificates, now);
  return end ? `A certificate in it expired on ${end.toISOString().slice(0, 10)}.` : false;
}

const isLocal = (url: string) => LOOPBACK.test(url.replace(/^[^:]+:\/\/([^@/]*@)?/, ""));
