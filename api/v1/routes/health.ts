import type { OpenAPIHono } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { watchDependencies } from "../../http/dependencies.ts";
import type { ProxyDoubt } from "../../http/proxy-warnings.ts";

/**
 * For load balancers and orchestrators. `/healthz` answers 200 while the process lives. `/readyz`
 * answers 200 until the process drains: a dependency that is away is away for every gateway, so no
 * balancer could send the requests anywhere else, and many need only one of them.
 * `/health/dependencies` tells operators which one is away, and lists doubts about proxies.
 */
export function healthRoutes(
  app: OpenAPIHono,
  deps: CoreDeps & { isDraining?: () => boolean },
  doubts: () => ProxyDoubt[],
) {
  const dependencies = watchDependencies(deps);

  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", (c) =>
    deps.isDraining?.() ? c.json({ status: "draining" }, 503) : c.json({ status: "ready" }),
  );

  app.get("/health/dependencies", async (c) => {
    const answers = await dependencies();
    const away = Object.entries(answers).flatMap(([name, up]) => (up ? [] : name));
    const noticed = doubts();
    const detail = noticed.length > 0 ? { doubts: noticed } : {};
    if (away.length === 0) return c.json({ status: "ok", ...detail });
    return c.json({ status: "unavailable", away, ...detail }, 503, { "retry-after": "2" });
  });
}
