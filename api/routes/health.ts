import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";

/** For the machinery around the gateway: `healthz` while the process lives, `readyz` while it can serve. */
export function healthRoutes(app: OpenAPIHono, { ping, redis, flows }: Deps) {
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", async (c) => {
    const checks = { postgresql: ping(), redis: redis.ping(), temporal: flows.ping() };
    const results = await Promise.allSettled(Object.values(checks));
    const away = Object.keys(checks).filter((_, index) => results[index]?.status === "rejected");
    if (away.length === 0) return c.json({ status: "ready" });
    return c.json({ status: "unavailable", away }, 503, { "retry-after": "2" });
  });
}
