import type { Page } from "playwright-core";
import type { OtpSetup } from "../../core/devices/otp.ts";
import type { Person } from "../support/people.ts";
import { enrollPhone, logInByPassword, logInBySms } from "../support/scenarios.ts";
import { logIn, type Portal, press } from "./browser.ts";

const STEP_MS = 30_000;

/** A user who has set up a phone over the API, and a browser that is not logged in. */
export async function withPhone(portal: Portal) {
  const user = await portal.createUser();
  const { e164 } = await enrollPhone(portal, user);
  return { user, number: e164, page: await portal.open() };
}

/** Adds an app to the user over the API, not as the default. Returns its secret. */
export async function addApp(portal: Portal, token: string, name = "App"): Promise<string> {
  const body = { name };
  const added = await portal.api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body });
  const { device, secret } = added.body;
  const proof = { code: await portal.codeOf(secret), makeDefault: false };
  await portal.api.call("POST", `/v1/me/devices/${device.id}/verify`, { token, body: proof });
  await portal.advance(STEP_MS);
  return secret;
}

/** A user with an app and no phone, and a browser that is not logged in. */
export async function withApp(portal: Portal, options?: Parameters<Portal["createUser"]>[0]) {
  const user = await portal.createUser(options);
  const { token } = await logInByPassword(portal, user);
  const secret = await addApp(portal, token);
  return { user, secret, page: await portal.open() };
}

/** A user with a phone (the default) and an app. */
export async function withBoth(portal: Portal) {
  const { user, number, page } = await withPhone(portal);
  const { token } = await logInBySms(portal, user, number);
  const secret = await addApp(portal, token);
  await portal.api.call("PUT", "/v1/me/multi-factor/default-method", {
    token,
    body: { method: "sms" },
  });
  return { user, number, secret, page };
}

/** A new Support operator, and a browser in which they are logged in by app. */
export async function supportDesk(portal: Portal) {
  const { user: operator, secret, page: desk } = await withApp(portal, { role: "support" });
  await logInByApp(portal, desk, operator, secret);
  return { operator, desk };
}

/** Logs in with the code that the app shows now. */
export async function logInByApp(portal: Portal, page: Page, user: Person, secret: string) {
  await logIn(page, user);
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  await portal.advance(STEP_MS);
}
