import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** From a Redis round trip to the gateway's patience with Temporal, in seconds. */
const BUCKETS_S = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What Prometheus reads of one gateway: the process, and every request by its route. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "second_step_" });
  const requests = new Histogram({
    name: "second_step_http_request_duration_seconds",
    help: "Requests by method, route (as documented, never the address itself) and status",
    labelNames: ["method", "route", "status"],
    buckets: BUCKETS_S,
    registers: [registry],
  });

  const observe: MiddlewareHandler = async (c, next) => {
    const took = requests.startTimer();
    await next();
    const route = routePath(c, -1);
    // A middleware's pattern: no route took the request.
    took({
      method: c.req.method,
      route: route.endsWith("*") ? "none" : route,
      status: c.res.status,
    });
  };
  return { registry, observe };
}
