import { randomUUID } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";

/** One line a request: method, path, status and duration (ms); never a body, header or query. */
export function requestLog(log: Logger): MiddlewareHandler {
  return async (c, next) => {
    const requestId = randomUUID();
    const begun = performance.now();
    await next();
    c.res.headers.set("x-request-id", requestId);
    const { method, path } = c.req;
    const ms = Math.round(performance.now() - begun);
    log.info({ requestId, method, path, status: c.res.status, ms }, "request");
  };
}
