import { Hono, type MiddlewareHandler } from "hono";
import { limitBody } from "../api/body-limit.ts";
import type { Deps } from "../api/deps.ts";
import { preferredType } from "../api/media-types.ts";
import { withinPageTime } from "../api/page-time.ts";
import { Problem } from "../api/problem.ts";
import { accountPages } from "./account.tsx";
import { accountActivityPages } from "./account-activity.tsx";
import { activityPages } from "./activity.tsx";
import { assetRoutes } from "./assets.ts";
import { defaultMethodPages } from "./default-method.tsx";
import { devicePages } from "./devices.tsx";
import { emailPages } from "./email.tsx";
import { flashes } from "./flash.ts";
import { type PortalContext, type PortalEnv, readForm } from "./form.ts";
import { linkPages } from "./links.tsx";
import { loginPages } from "./login.tsx";
import { once } from "./once.ts";
import { otpPages } from "./otp.tsx";
import { passcodePages } from "./passcode.tsx";
import { passwordPages } from "./password.tsx";
import { pinPages } from "./pin.tsx";
import { recoveryCodePages } from "./recovery-codes.tsx";
import { refuse } from "./refusal.tsx";
import { removalPages } from "./removal.tsx";
import { removalUnderWayPages } from "./removal-under-way.tsx";
import { ownFormsOnly, pageHeaders } from "./security.ts";
import { sessionPages } from "./sessions.tsx";
import { setUpPages } from "./set-up.tsx";
import { smsPages } from "./sms.tsx";
import { supportPages } from "./support.tsx";
import { userPages } from "./users.tsx";
import { oneWebhookPages } from "./webhook.tsx";
import { webhookPages } from "./webhooks.tsx";
import { NO_FAULTS } from "./words.ts";

/** Where there are pages; everything else belongs to the API. */
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

/** Whether a program asks: at the API, or for no page. */
const isForProgram = (c: PortalContext) =>
  /^\/v\d/.test(c.req.path) ||
  preferredType(c, ["application/problem+json", "application/json", "text/html"]) !== "text/html";

const nothingHere = () => {
  throw new Problem("not_found", "The address may be wrong, or the page has moved.");
};

/** The pages a person uses, over the same functions as the API. */
export function portal(deps: Deps) {
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
      limitForm,
      ownFormsOnly,
      readForm,
      flashes(deps, app),
      (_, next) => withinPageTime(next),
    );
  }
  loginPages(app, deps);
  setUpPages(app, deps);
  passcodePages(app, deps);
  devicePages(app, deps);
  smsPages(app, deps);
  pinPages(app, deps);
  otpPages(app, deps);
  defaultMethodPages(app, deps);
  recoveryCodePages(app, deps);
  emailPages(app, deps);
  removalPages(app, deps);
  removalUnderWayPages(app, deps);
  sessionPages(app, deps);
  passwordPages(app, deps);
  activityPages(app, deps);
  accountPages(app, deps);
  userPages(app, deps);
  accountActivityPages(app, deps);
  linkPages(app, deps);
  webhookPages(app, deps);
  oneWebhookPages(app, deps);
  supportPages(app, deps);
  for (const area of AREAS) app.all(area, nothingHere);
  // What nobody has: for people a page of ours, for programs what the API says.
  app.all("*", beginPage, pageHeaders, (c, next) => (isForProgram(c) ? next() : nothingHere()));
  app.onError((error, c) => refuse(error, c, deps));
  return app;
}
