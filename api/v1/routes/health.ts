import { setTimeout } from "node:timers/promises";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import type { ProxyDoubt } from "../../http/proxy-warnings.ts";

/**
 * In ms. A dependency that takes longer to answer counts as away: load balancers want a quick
 * answer.
 */
const ANSWER_MS = 1500;

/**
 * For load balancers and orchestrators: `/healthz` answers 200 while the process lives, `/readyz`
 * while it can serve. `/readyz` also lists doubts about proxies; these do not make it less ready.
 */
export function healthRoutes(
  app: OpenAPIHono,
  { ping, redis, flows }: CoreDeps,
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
