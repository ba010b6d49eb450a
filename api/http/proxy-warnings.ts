import type { MiddlewareHandler } from "hono";
import type { Deps } from "../../core/deps.ts";
import { forwardedEntries } from "./client-address.ts";

const MINUTE_MS = 60_000;

/** How often a doubt is told in the log, in ms. */
const EVERY_MS = 5 * MINUTE_MS;

/**
 * The readiness tells what most requests of so many minutes bear, where there were at least so many: one
 * header of a stranger is no sign of a proxy.
 */
const WITHIN_MINUTES = 15;
const AT_LEAST = 20;

/** Load balancers ask these themselves, past every proxy. */
const PROBES = new Set(["/healthz", "/readyz"]);

type Code = "forwarded_not_trusted" | "too_few_forwarded" | "both_forwarded";

/** Why the addresses that throttling and the audit see may not be those of the clients. */
export type ProxyDoubt = { code: Code; detail: string };

const DETAILS: Record<Code, string> = {
  forwarded_not_trusted:
    "Requests bear X-Forwarded-For or Forwarded and TRUSTED_PROXIES is 0: behind a proxy all users " +
    "share its address, and throttles hold them back together.",
  too_few_forwarded:
    "Requests bear fewer forwarded addresses than TRUSTED_PROXIES: they come past a proxy, or the " +
    "number is too high, and users share a proxy's address.",
  both_forwarded:
    "Requests bear both X-Forwarded-For and Forwarded, of which X-Forwarded-For is believed: have the " +
    "proxy remove the one that it does not write, or clients choose their own address.",
};

/**
 * Watches whether requests come as TRUSTED_PROXIES says. A wrong number breaks nothing at once: it
 * throttles everybody together. So it is told in the log, once in five minutes, and, where most requests
 * are so, by `doubts`.
 */
export function watchProxies({ config, clock, log }: Pick<Deps, "config" | "clock" | "log">) {
  const seen = new Map<Code, { told: number; requests: number }>();
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
    const before = seen.get(code) ?? { told: Number.NEGATIVE_INFINITY, requests: 0 };
    const requests = before.requests + 1;
    const due = now - before.told >= EVERY_MS;
    seen.set(code, { told: due ? now : before.told, requests: due ? 0 : requests });
    if (due) log.warn({ code, trustedProxies: config.TRUSTED_PROXIES, requests }, DETAILS[code]);
  }

  return {
    observe,
    /** What was doubtful of most requests of the last quarter of an hour. */
    doubts: (): ProxyDoubt[] =>
      [...seen.keys()]
        .filter((code) => recent.isUsual(code))
        .map((code) => ({ code, detail: DETAILS[code] })),
  };
}

/** Counts requests by the minute, for as long as they matter. */
function recentRequests(clock: Deps["clock"]) {
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
    /** Whether most were so. */
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
