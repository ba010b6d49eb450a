import { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { Problem } from "../api/problem.ts";
import { accountPages } from "./account.tsx";
import { accountActivityPages } from "./account-activity.tsx";
import { activityPages } from "./activity.tsx";
import { assetRoutes } from "./assets.ts";
import { defaultMethodPages } from "./default-method.tsx";
import { devicePages } from "./devices.tsx";
import { emailPages } from "./email.tsx";
import { type PortalEnv, readForm } from "./form.ts";
import { loginPages } from "./login.tsx";
import { once } from "./once.ts";
import { otpPages } from "./otp.tsx";
import { passcodePages } from "./passcode.tsx";
import { passwordPages } from "./password.tsx";
import { pinPages } from "./pin.tsx";
import { recoveryCodePages } from "./recovery-codes.tsx";
import { refuse } from "./refusal.tsx";
import { removalPages } from "./removal.tsx";
import { ownFormsOnly, pageHeaders } from "./security.ts";
import { sessionPages } from "./sessions.tsx";
import { setUpPages } from "./set-up.tsx";
import { smsPages } from "./sms.tsx";
import { supportPages } from "./support.tsx";
import { userPages } from "./users.tsx";
import { oneWebhookPages } from "./webhook.tsx";
import { webhookPages } from "./webhooks.tsx";

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

/** The pages a person uses, over the same functions as the API. */
export function portal(deps: Deps) {
  const app = new Hono<PortalEnv>();
  assetRoutes(app);
  for (const area of AREAS) {
    app.use(area, pageHeaders, ownFormsOnly, readForm, async (c, next) => {
      c.set("service", deps.config.SERVICE_NAME);
      return next();
    });
    app.use(area, once(deps));
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
  sessionPages(app, deps);
  passwordPages(app, deps);
  activityPages(app, deps);
  accountPages(app, deps);
  userPages(app, deps);
  accountActivityPages(app, deps);
  webhookPages(app, deps);
  oneWebhookPages(app, deps);
  supportPages(app, deps);
  for (const area of AREAS)
    app.all(area, () => {
      throw new Problem("not_found", "The address may be wrong, or the page has moved.");
    });
  app.onError((error, c) => refuse(error, c, deps));
  return app;
}
