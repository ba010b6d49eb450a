import type { MiddlewareHandler } from "hono";
import { forwardedEntries } from "./client-address.ts";
import type { Deps } from "./deps.ts";

/** How often a doubt is told in the log, and how long it stands in the readiness, in ms. */
const EVERY_MS = 5 * 60_000;
const SHOWN_MS = 15 * 60_000;

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
 * throttles everybody together. So it is told in the log, once in five minutes, and by `doubts`.
 */
export function watchProxies({ config, clock, log }: Pick<Deps, "config" | "clock" | "log">) {
  const seen = new Map<Code, { last: number; told: number; requests: number }>();

  const observe: MiddlewareHandler = async (c, next) => {
    const code = PROBES.has(c.req.path)
      ? undefined
      : doubtOf(config.TRUSTED_PROXIES, (name) => c.req.header(name));
    if (code) note(code);
    await next();
  };

  function note(code: Code) {
    const now = clock.now();
    const before = seen.get(code) ?? { told: Number.NEGATIVE_INFINITY, requests: 0 };
    const requests = before.requests + 1;
    const due = now - before.told >= EVERY_MS;
    seen.set(code, { last: now, told: due ? now : before.told, requests: due ? 0 : requests });
    if (due) log.warn({ code, trustedProxies: config.TRUSTED_PROXIES, requests }, DETAILS[code]);
  }

  return {
    observe,
    /** What was doubtful of the requests of the last quarter of an hour. */
    doubts: (): ProxyDoubt[] =>
      [...seen].flatMap(([code, { last }]) =>
        clock.now() - last < SHOWN_MS ? [{ code, detail: DETAILS[code] }] : [],
      ),
  };
}

function doubtOf(trusted: number, header: (name: string) => string | undefined): Code | undefined {
  const entries = forwardedEntries(header).length;
  if (trusted === 0) return entries > 0 ? "forwarded_not_trusted" : undefined;
  if (header("x-forwarded-for") !== undefined && header("forwarded") !== undefined)
    return "both_forwarded";
  return entries < trusted ? "too_few_forwarded" : undefined;
}
