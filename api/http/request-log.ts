import { randomUUID } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import { inRequest } from "../../telemetry/request-context.ts";

/** The allowed form of a proxy's request ID; other text could forge log lines or fill the log. */
const WELL_FORMED = /^[\w.:-]{8,64}$/;

/** A session token in a path, as the Identity API has it. */
const TOKEN = /([0-9a-f]{56})\.[^/]*/gi;

/** A percent-encoded character that a token may contain. */
const ENCODED = /%([2-7][0-9a-f])/gi;

/**
 * The path without the secret part of a token. Routes also take percent-encoded tokens, so these
 * are masked too.
 */
function withoutToken(path: string): string {
  const decoded = path.replace(ENCODED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const masked = decoded.replace(TOKEN, "$1.…");
  return masked === decoded ? path : masked;
}

/**
 * Logs one line per request: method, path, status and duration (ms); never a body, header or query.
 * Answers `x-request-id`: the ID that a trusted proxy sent, if it is well formed, or a new one.
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
