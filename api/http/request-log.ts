import { randomUUID } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import { inRequest } from "../../telemetry/request-context.ts";

/** What a proxy's id may look like; anything else could forge a log line or fill it. */
const WELL_FORMED = /^[\w.:-]{8,64}$/;

/** A session's token, where a protocol puts one into the path. */
const TOKEN = /([0-9a-f]{56})\.[^/]*/gi;

/** What a token is made of, percent-encoded. */
const ENCODED = /%([2-7][0-9a-f])/gi;

/** The path, less its token: also where any of it came percent-encoded, as routes take it, too. */
function withoutToken(path: string): string {
  const decoded = path.replace(ENCODED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const masked = decoded.replace(TOKEN, "$1.…");
  return masked === decoded ? path : masked;
}

/**
 * One line a request: method, path, status and duration (ms); never a body, header or query.
 * Answers `x-request-id`: the one that a trusted proxy gave, if it is well formed, or a new one.
 */
export function requestLog(log: Logger, trustedProxies: number): MiddlewareHandler {
  return async (c, next) => {
    const given = trustedProxies > 0 ? c.req.header("x-request-id") : undefined;
    const requestId = given && WELL_FORMED.test(given) ? given : randomUUID();
    await inRequest(requestId, async () => {
      const begun = performance.now();
      c.header("x-request-id", requestId);
      await next();
      const { method } = c.req;
      const path = withoutToken(c.req.path);
      const ms = Math.round(performance.now() - begun);
      log.info({ method, path, status: c.res.status, ms }, "request");
    });
  };
}
