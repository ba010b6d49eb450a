import type { MiddlewareHandler } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { MINUTE_MS } from "../../units.ts";
import { forwardedEntries } from "./client-address.ts";

/** The shortest time between two log lines about the same doubt, in ms. */
const EVERY_MS = 5 * MINUTE_MS;

/**
 * `/health/dependencies` reports a doubt if most requests of the last WITHIN_MINUTES minutes showed it, and
 * there were at least AT_LEAST requests: one client's forged header is no sign of a proxy.
 */
const WITHIN_MINUTES = 15;
const AT_LEAST = 20;

/** Load balancers call these directly, not through a proxy. */
const PROBES = new Set(["/healthz", "/readyz", "/health/dependencies"]);

type Code = "forwarded_not_trusted" | "too_few_forwarded" | "both_forwarded";

/** A sign that the client addresses in throttling and in the audit trail may be wrong. */
export type ProxyDoubt = { code: Code; detail: string };

const DETAILS: Record<Code, string> = {
  forwarded_not_trusted:
    "Requests have X-Forwarded-For or Forwarded, but TRUSTED_PROXIES is 0. Behind a proxy all " +
    "users share its address and are throttled together.",
  too_few_forwarded:
    "Requests have fewer forwarded addresses than TRUSTED_PROXIES. They bypass a proxy, or the " +
    "number is too high, and users share a proxy's address.",
  both_forwarded:
    "Requests have both X-Forwarded-For and Forwarded. We use X-Forwarded-For. Make the proxy " +
    "remove the header that it does not write, or clients can choose their own address.",
};

/**
 * Watches whether requests arrive as TRUSTED_PROXIES says. A wrong number causes no error: it
 * throttles all users together. So a doubt is logged, at most once in five minutes, and `doubts`
 * lists those that most requests showed.
 */
export function watchProxies({ config, clock, log }: Pick<CoreDeps, "config" | "clock" | "log">) {
  const seen = new Map<Code, { loggedAt: number; requests: number }>();
  const recent = recentRequests(clock);

  const observe: MiddlewareHandler = async (c, next) => {
    if (PROBES.has(c.req.path)) return next();
    const code = doubtOf(config.TRUSTED_PROXIES, (name) => c.req.header(name));
    recent.count(code);
    if (code) note(code);
    return next();
  };

  function note(code: Code) {
    const now = clock.now();
    const before = seen.get(code) ?? { loggedAt: Number.NEGATIVE_INFINITY, requests: 0 };
    const requests = before.requests + 1;
    const due = now - before.loggedAt >= EVERY_MS;
    seen.set(code, { loggedAt: due ? now : before.loggedAt, requests: due ? 0 : requests });
    if (due) log.warn({ code, trustedProxies: config.TRUSTED_PROXIES, requests }, DETAILS[code]);
  }

  return {
    observe,
    /** Doubts that most requests of the last 15 minutes showed. */
    doubts: (): ProxyDoubt[] =>
      [...seen.keys()]
        .filter((code) => recent.isUsual(code))
        .map((code) => ({ code, detail: DETAILS[code] })),
  };
}

/** Counts the requests of the last WITHIN_MINUTES minutes by minute. */
function recentRequests(clock: CoreDeps["clock"]) {
  let minutes: { minute: number; code?: Code; requests: number }[] = [];
  const young = () => {
    const oldest = Math.floor(clock.now() / MINUTE_MS) - WITHIN_MINUTES;
    minutes = minutes.filter(({ minute }) => minute > oldest);
    return minutes;
  };
  const sum = (counts: typeof minutes) => counts.reduce((all, { requests }) => all + requests, 0);
  return {
    count(code: Code | undefined) {
      const minute = Math.floor(clock.now() / MINUTE_MS);
      const same = young().find((one) => one.minute === minute && one.code === code);
      if (same) same.requests++;
      else minutes.push({ minute, code, requests: 1 });
    },
    /** Whether most requests showed this doubt. */
    isUsual(code: Code): boolean {
      const all = sum(young());
      return all >= AT_LEAST && 2 * sum(minutes.filter((one) => one.code === code)) > all;
    },
  };
}

function doubtOf(trusted: number, header: (name: string) => string | undefined): Code | undefined {
  const entries = forwardedEntries(header).length;
  if (trusted === 0) return entries > 0 ? "forwarded_not_trusted" : undefined;
  if (header("x-forwarded-for") !== undefined && header("forwarded") !== undefined)
    return "both_forwarded";
  return entries < trusted ? "too_few_forwarded" : undefined;
}
