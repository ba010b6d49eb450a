import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { answerFault, identity, isIdentity } from "../identity/app.ts";
import { portal } from "../portal/app.tsx";
import { hasOutbox } from "../store/redis/outbox.ts";
import { limitBody } from "./body-limit.ts";
import type { Deps } from "./deps.ts";
import { answerError, invalidFields } from "./errors.ts";
import { noStore, secureHeaders } from "./headers.ts";
import { idempotency } from "./idempotency.ts";
import { jsonOnly } from "./json-only.ts";
import { refuseOtherMethods } from "./other-methods.ts";
import { Problem } from "./problem.ts";
import { watchProxies } from "./proxy-doubts.ts";
import { requestLog } from "./request-log.ts";
import { accountRoutes } from "./routes/account.ts";
import { activityRoutes } from "./routes/activity.ts";
import { deviceRoutes } from "./routes/devices.ts";
import { emailRoutes } from "./routes/email.ts";
import { healthRoutes } from "./routes/health.ts";
import { linkRoutes } from "./routes/links.ts";
import { loginRoutes } from "./routes/login.ts";
import { outboxRoutes } from "./routes/outbox.tsx";
import { passwordRoutes } from "./routes/password.ts";
import { providerRoutes } from "./routes/providers.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { settingsRoutes } from "./routes/settings.ts";
import { supportRoutes } from "./routes/support.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

/** Where programs call, in one protocol or another. */
const FACES = ["/v1/*", "/v2.0/*"];

/** The gateway: every route over the given dependencies. */
export function createApp(deps: Deps) {
  const { config, log } = deps;
  const app = new OpenAPIHono({ defaultHook: invalidFields });

  const proxies = watchProxies(deps);
  if (deps.measured) app.use(deps.measured);
  app.use(proxies.observe);
  app.use(requestLog(log, config.TRUSTED_PROXIES));
  if (deps.traced) app.use(deps.traced);
  app.use(secureHeaders);
  // The portal has a limit of its own, and refuses on a page.
  for (const face of FACES) app.use(face, noStore, limitBody(config.limits.bodyBytes));
  // Before what clients must keep to: providers send forms, and sign them.
  providerRoutes(app, deps);
  refuseOtherMethods(app);
  for (const face of FACES) app.use(face, jsonOnly, idempotency(deps));

  healthRoutes(app, deps, proxies.doubts);
  loginRoutes(app, deps);
  sessionRoutes(app, deps);
  deviceRoutes(app, deps);
  settingsRoutes(app, deps);
  emailRoutes(app, deps);
  passwordRoutes(app, deps);
  linkRoutes(app, deps);
  supportRoutes(app, deps);
  accountRoutes(app, deps);
  activityRoutes(app, deps);
  webhookRoutes(app, deps);
  refuseOtherMethods(app);
  referenceRoutes(app);
  if (hasOutbox(config)) outboxRoutes(app, deps);
  app.route("/", identity(deps));
  app.route("/", portal({ ...deps, flows: { ...deps.flows, ...deps.flows.forPages } }));

  // Each face refuses in its own form, also what no route of it takes.
  const refuse = (c: Context, error: Error) =>
    (isIdentity(c) ? answerFault : answerError)(error, c, log, config.SUPPORT_CONTACT);
  app.notFound((c) => refuse(c, new Problem("not_found")));
  app.onError((error, c) => refuse(c, error));
  return app;
}
