import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Registry } from "prom-client";

/** For Prometheus. It names no user; keep it from the outside at the proxy all the same. */
export function metricsRoutes(app: OpenAPIHono, registry: Registry) {
  app.get("/metrics", async (c) =>
    c.body(await registry.metrics(), 200, { "content-type": registry.contentType }),
  );
}
