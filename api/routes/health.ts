import { setTimeout } from "node:timers/promises";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../deps.ts";

/** A dependency that takes longer to answer counts as away: whoever asks wants to know soon. */
const ANSWER_MS = 1500;

/** For the machinery around the gateway: `healthz` while the process lives, `readyz` while it can serve. */
export function healthRoutes(app: OpenAPIHono, { ping, redis, flows }: Deps) {
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", async (c) => {
    const checks = { postgresql: ping(), redis: redis.ping(), temporal: flows.ping() };
    const answers = await Promise.all(Object.values(checks).map(answersInTime));
    const away = Object.keys(checks).filter((_, index) => !answers[index]);
    if (away.length === 0) return c.json({ status: "ready" });
    return c.json({ status: "unavailable", away }, 503, { "retry-after": "2" });
  });
}

async function answersInTime(check: Promise<unknown>): Promise<boolean> {
  const answered = check.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, setTimeout(ANSWER_MS, false, { ref: false })]);
}
