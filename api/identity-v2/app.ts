import { type Context, Hono } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { CoreDeps } from "../../core/deps.ts";
import { problemOf } from "../http/problems.ts";
import { bypassCodeRoutes } from "./bypass-codes.ts";
import { domainRoutes } from "./domains.ts";
import { Fault, faultOf, sendFault } from "./faults.ts";
import { otpDeviceRoutes } from "./otp-devices.ts";
import { phoneRoutes } from "./phones.ts";
import type { Routes } from "./routes.ts";
import { settingsRoutes } from "./settings.ts";
import { tokenRoutes } from "./tokens.ts";
import { userRoutes } from "./users.ts";

/**
 * The Identity API 2.0 with its multi-factor extension (see docs/identity-v2.md). It calls the same
 * functions as `/v1`.
 */
export function identity(deps: CoreDeps) {
  const app = new Hono();
  const routes: Routes = {
    ...tokenRoutes(deps),
    ...userRoutes(deps),
    ...domainRoutes(deps),
    ...settingsRoutes(deps),
    ...phoneRoutes(deps),
    ...otpDeviceRoutes(deps),
    ...bypassCodeRoutes(deps),
  };
  for (const [path, handlers] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    const allow = Object.keys(handlers).join(", ");
    app.all(path, () => {
      throw new Fault("badMethod", `Use ${allow} here.`, { allow });
    });
  }
  return app;
}

/** Whether the request is one to the Identity API. */
export const isIdentity = (c: Context) => /^\/v2\.0(\/|$)/.test(c.req.path);

/** Answers any error as a fault. The fault of a locked account names Support's contact. */
export function answerFault(
  error: Error,
  c: Context,
  log: Logger,
  support?: CoreDeps["config"]["SUPPORT_CONTACT"],
): Response {
  if (error instanceof Fault) return sendFault(c, error);
  return sendFault(c, faultOf(problemOf(error, routePath(c), log), support));
}
