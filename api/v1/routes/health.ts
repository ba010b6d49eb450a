import { setTimeout } from "node:timers/promises";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Deps } from "../../../core/deps.ts";
import type { ProxyDoubt } from "../../http/proxy-warnings.ts";

/** A dependency that takes longer to answer counts as away: whoever asks wants to know soon. */
const ANSWER_MS = 1500;

/**
 * For the machinery around the gateway: `healthz` while the process lives, `readyz` while it can
 * serve; that tells, too, what is doubtful about the requests that come, which makes it no less ready.
 */
export function healthRoutes(
  app: OpenAPIHono,
  { ping, redis, flows }: Deps,
  doubts: () => ProxyDoubt[],
) {
  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", async (c) => {
    const checks = { postgresql: ping(), redis: redis.ping(), temporal: flows.ping() };
    const answers = await Promise.all(Object.values(checks).map(answersInTime));
    const away = Object.keys(checks).filter((_, index) => !answers[index]);
    const noticed = doubts();
    const detail = noticed.length > 0 ? { doubts: noticed } : {};
    if (away.length === 0) return c.json({ status: "ready", ...detail });
    return c.json({ status: "unavailable", away, ...detail }, 503, { "retry-after": "2" });
  });
}

async function answersInTime(check: Promise<unknown>): Promise<boolean> {
  const answered = check.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, setTimeout(ANSWER_MS, false, { ref: false })]);
}
