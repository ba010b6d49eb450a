import { Hono, type MiddlewareHandler } from "hono";
import { limitBody } from "../api/http/body-limit.ts";
import { preferredType } from "../api/http/media-types.ts";
import type { CoreDeps } from "../core/deps.ts";
import { Problem } from "../core/problem.ts";
import { withinPageTime } from "../temporal/page-time.ts";
import { accountPages } from "./account/account.tsx";
import { accountActivityPages } from "./account/account-activity.tsx";
import { activityPages } from "./account/activity.tsx";
import { emailPages } from "./account/email.tsx";
import { linkPages } from "./account/links.tsx";
import { passkeyLoginPages } from "./account/passkey-login.tsx";
import { passwordPages } from "./account/password.tsx";
import { sessionPages } from "./account/sessions.tsx";
import { userPages } from "./account/users.tsx";
import { defaultMethodPages } from "./devices/default-method.tsx";
import { devicePages } from "./devices/devices.tsx";
import { keyPages } from "./devices/keys.tsx";
import { otpPages } from "./devices/otp.tsx";
import { pinPages } from "./devices/pin.tsx";
import { recoveryCodePages } from "./devices/recovery-codes.tsx";
import { removalPages } from "./devices/removal.tsx";
import { removalUnderWayPages } from "./devices/removal-under-way.tsx";
import { smsPages } from "./devices/sms.tsx";
import { assetRoutes } from "./layout/assets.ts";
import { flashes } from "./layout/flash.ts";
import { type PortalContext, type PortalEnv, readForm } from "./layout/form.ts";
import { onLocalhost } from "./layout/localhost.ts";
import { once } from "./layout/once.ts";
import { refuse } from "./layout/refusal.tsx";
import { ownFormsOnly, pageHeaders } from "./layout/security.ts";
import { NO_FAULTS } from "./layout/words.ts";
import { loginPages } from "./login/login.tsx";
import { passcodePages } from "./login/passcode.tsx";
import { passkeyPages } from "./login/passkey.tsx";
import { setUpPages } from "./login/set-up.tsx";
import { supportPages } from "./support/support.tsx";
import { oneWebhookPages } from "./webhooks/webhook.tsx";
import { webhookPages } from "./webhooks/webhooks.tsx";

/** The paths of the portal's pages; everything else belongs to the APIs. */
const AREAS = [
  "/",
  "/login/*",
  "/logout",
  "/set-up",
  "/devices/*",
  "/sessions/*",
  "/activity",
  "/account/*",
  "/support/*",
];

/** Whether a program sent the request: it goes to an API, or does not prefer HTML. */
const isForProgram = (c: PortalContext) =>
  /^\/v\d/.test(c.req.path) ||
  preferredType(c, ["application/problem+json", "application/json", "text/html"]) !== "text/html";

const nothingHere = () => {
  throw new Problem("not_found", "The address may be wrong, or the page has moved.");
};

/** The pages for people. They call the same functions as the API. */
export function portal(deps: CoreDeps) {
  const app = new Hono<PortalEnv>();
  assetRoutes(app);
  const doOnce = once(deps);
  const limitForm = limitBody(deps.config.limits.formBytes);
  const beginPage: MiddlewareHandler<PortalEnv> = async (c, next) => {
    c.set("service", deps.config.SERVICE_NAME);
    c.set("support", deps.config.SUPPORT_CONTACT);
    c.set("faults", NO_FAULTS);
    c.set("once", doOnce);
    return next();
  };
  for (const area of AREAS) {
    app.use(
      area,
      beginPage,
      pageHeaders,
      onLocalhost(deps),
      limitForm,
      ownFormsOnly,
      readForm,
      flashes(deps, app),
      (_, next) => withinPageTime(next),
    );
  }
  loginPages(app, deps);
  setUpPages(app, deps);
  passkeyPages(app, deps);
  passcodePages(app, deps);
  devicePages(app, deps);
  smsPages(app, deps);
  pinPages(app, deps);
  otpPages(app, deps);
  keyPages(app, deps);
  defaultMethodPages(app, deps);
  recoveryCodePages(app, deps);
  emailPages(app, deps);
  removalPages(app, deps);
  removalUnderWayPages(app, deps);
  sessionPages(app, deps);
  passwordPages(app, deps);
  activityPages(app, deps);
  accountPages(app, deps);
  passkeyLoginPages(app, deps);
  userPages(app, deps);
  accountActivityPages(app, deps);
  linkPages(app, deps);
  webhookPages(app, deps);
  oneWebhookPages(app, deps);
  supportPages(app, deps);
  for (const area of AREAS) app.all(area, nothingHere);
  // Unknown paths: people get a page, programs get the API's refusal.
  app.all("*", beginPage, pageHeaders, (c, next) => (isForProgram(c) ? next() : nothingHere()));
  app.onError((error, c) => refuse(error, c, deps));
  return app;
}
