import { OpenAPIHono } from "@hono/zod-openapi";
import { portal } from "../portal/app.tsx";
import { hasOutbox } from "../store/redis/outbox.ts";
import { limitBody } from "./body-limit.ts";
import type { Deps } from "./deps.ts";
import { answerError, invalidFields } from "./errors.ts";
import { noStore, secureHeaders } from "./headers.ts";
import { idempotency } from "./idempotency.ts";
import { jsonOnly } from "./json-only.ts";
import { createMetrics } from "./metrics.ts";
import { Problem, sendProblem } from "./problem.ts";
import { requestLog } from "./request-log.ts";
import { accountRoutes } from "./routes/account.ts";
import { activityRoutes } from "./routes/activity.ts";
import { deviceRoutes } from "./routes/devices.ts";
import { emailRoutes } from "./routes/email.ts";
import { healthRoutes } from "./routes/health.ts";
import { linkRoutes } from "./routes/links.ts";
import { loginRoutes } from "./routes/login.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { outboxRoutes } from "./routes/outbox.tsx";
import { providerRoutes } from "./routes/providers.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { supportRoutes } from "./routes/support.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

/** The gateway: every route over the given dependencies. */
export function createApp(deps: Deps) {
  const { config, log } = deps;
  const app = new OpenAPIHono({ defaultHook: invalidFields });

  const metrics = createMetrics(deps.db);
  app.use(metrics.observe);
  app.use(requestLog(log, config.TRUSTED_PROXIES));
  if (deps.traced) app.use(deps.traced);
  app.use(secureHeaders);
  app.use("/v1/*", noStore);
  app.use(limitBody(config.limits.bodyBytes));
  // Before what clients must keep to: providers send forms, and sign them.
  providerRoutes(app, deps);
  app.use("/v1/*", jsonOnly);
  app.use("/v1/*", idempotency(deps));

  healthRoutes(app, deps);
  metricsRoutes(app, metrics.registry);
  loginRoutes(app, deps);
  sessionRoutes(app, deps);
  deviceRoutes(app, deps);
  settingsRoutes(app, deps);
  emailRoutes(app, deps);
  linkRoutes(app, deps);
  supportRoutes(app, deps);
  accountRoutes(app, deps);
  activityRoutes(app, deps);
  webhookRoutes(app, deps);
  referenceRoutes(app);
  if (hasOutbox(config)) outboxRoutes(app, deps);
  app.route("/", portal(deps));

  app.notFound((c) => sendProblem(c, new Problem("not_found")));
  app.onError((error, c) => answerError(error, c, log));
  return app;
}
