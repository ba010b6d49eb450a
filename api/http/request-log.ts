import { randomUUID } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import type { Config } from "../../config.ts";
import { matchedRoute } from "../../telemetry/matched-route.ts";
import { inRequest } from "../../telemetry/request-context.ts";
import { problemCode } from "./problems.ts";

/** The allowed form of a proxy's request ID; other text could forge log lines or fill the log. */
const WELL_FORMED = /^[\w.:-]{8,64}$/;

/**
 * Logs one line per request: method, the route's pattern, status, duration (ms), the problem's code
 * if it was refused, and the build; never a path, which may hold IDs and tokens, a body, a header or
 * a query. Answers `x-request-id`: the ID that a trusted proxy sent, if it is well formed, or a new one.
 */
export function requestLog(
  log: Logger,
  { TRUSTED_PROXIES: trustedProxies, WORKER_BUILD_ID: build }: Config,
): MiddlewareHandler {
  return async (c, next) => {
    const given = trustedProxies > 0 ? c.req.header("x-request-id") : undefined;
    const requestId = given && WELL_FORMED.test(given) ? given : randomUUID();
    await inRequest(requestId, async () => {
      const begun = performance.now();
      c.header("x-request-id", requestId);
      await next();
      const { method } = c.req;
      const route = matchedRoute(c) ?? "none";
      const ms = Math.round(performance.now() - begun);
      const problem = c.error && problemCode(c.error);
      log.info({ method, route, status: c.res.status, ms, problem, build }, "request");
    });
  };
}
