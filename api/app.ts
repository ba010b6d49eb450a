import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { CoreDeps } from "../core/deps.ts";
import { Problem } from "../core/problem.ts";
import { portal } from "../portal/app.tsx";
import { outbox } from "../portal/outbox.tsx";
import { hasOutbox } from "../store/redis/messages/outbox.ts";
import { limitBody } from "./http/body-limit.ts";
import { noStore, secureHeaders } from "./http/headers.ts";
import { idempotency } from "./http/idempotency.ts";
import { jsonOnly } from "./http/json-only.ts";
import { refuseOtherMethods } from "./http/other-methods.ts";
import { answerError, invalidFields } from "./http/problems.ts";
import { watchProxies } from "./http/proxy-warnings.ts";
import { requestLog } from "./http/request-log.ts";
import { answerFault, identity, isIdentity } from "./identity-v2/app.ts";
import { accountRoutes } from "./v1/routes/account.ts";
import { activityRoutes } from "./v1/routes/activity.ts";
import { deviceRoutes } from "./v1/routes/devices.ts";
import { emailRoutes } from "./v1/routes/email.ts";
import { healthRoutes } from "./v1/routes/health.ts";
import { linkRoutes } from "./v1/routes/links.ts";
import { loginRoutes } from "./v1/routes/login.ts";
import { passwordRoutes } from "./v1/routes/password.ts";
import { providerRoutes } from "./v1/routes/providers.ts";
import { referenceRoutes } from "./v1/routes/reference.ts";
import { relatedOriginRoutes } from "./v1/routes/related-origins.ts";
import { sessionRoutes } from "./v1/routes/sessions.ts";
import { settingsRoutes } from "./v1/routes/settings.ts";
import { supportRoutes } from "./v1/routes/support.ts";
import { webhookRoutes } from "./v1/routes/webhooks.ts";

/** Path prefixes of the APIs for programs: ours, and the Identity API 2.0. */
const FACES = ["/v1/*", "/v2.0/*"];

/** The gateway's dependencies. */
type AppDeps = CoreDeps & {
  /** Middleware around each request that measures it, if the gateway has metrics. */
  measured?: MiddlewareHandler;
  /** Middleware around each request that traces it, if the gateway makes traces. */
  traced?: MiddlewareHandler;
  /** Whether the process is about to stop, so that balancers send it nothing new. */
  isDraining?: () => boolean;
};

/** Builds the gateway: every route, with the given dependencies. */
export function createApp(deps: AppDeps) {
  const { config, log } = deps;
  const app = new OpenAPIHono({ defaultHook: invalidFields });

  const proxies = watchProxies(deps);
  if (deps.measured) app.use(deps.measured);
  app.use(proxies.observe);
  app.use(requestLog(log, config));
  if (deps.traced) app.use(deps.traced);
  app.use(secureHeaders);
  // The portal has its own body limit and shows refusals as pages.
  for (const face of FACES) app.use(face, noStore, limitBody(config.limits.bodyBytes));
  // Registered before the JSON-only check, because providers post signed forms.
  providerRoutes(app, deps);
  refuseOtherMethods(app);
  for (const face of FACES) app.use(face, jsonOnly, idempotency(deps));

  healthRoutes(app, deps, proxies.doubts);
  relatedOriginRoutes(app, deps);
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
  if (hasOutbox(config)) app.route("/", outbox(deps));
  app.route("/", identity(deps));
  app.route("/", portal({ ...deps, flows: { ...deps.flows, ...deps.flows.forPages } }));

  // Each API answers errors in its own format, also for paths without a route.
  const refuse = (c: Context, error: Error) =>
    (isIdentity(c) ? answerFault : answerError)(error, c, log, config.SUPPORT_CONTACT);
  app.notFound((c) => refuse(c, new Problem("not_found")));
  app.onError((error, c) => refuse(c, error));
  return app;
}
