import type { Page } from "playwright-core";
import type { Person } from "../support/people.ts";
import { PLATFORM, plugIn } from "./authenticators.ts";
import { follow, logIn, type Portal, press } from "./browser.ts";

/** The button that asks for a key, at a set-up and at a login. */
export const USE = "Use your security key or passkey";

/** A browser that offers no passkeys in the field of the user name. */
export async function withoutAutofill(page: Page): Promise<Page> {
  await page.addInitScript(
    "PublicKeyCredential.isConditionalMediationAvailable = async () => false",
  );
  return page;
}

/** Goes from the list of devices to the page that asks for a new key. */
export async function nameKey(page: Page, name: string): Promise<void> {
  await page.goto("/devices");
  await follow(page, "Add a security key or passkey");
  await page.getByLabel("Device nickname").fill(name);
  await press(page, "Continue");
}

/** Asks for the key, and waits until `words` are on the page. */
export async function useKey(page: Page, words: string | RegExp): Promise<void> {
  // Browsers only ask for keys in the tab that is seen.
  await page.bringToFront();
  await page.getByRole("button", { name: USE, exact: true }).click();
  await page.getByText(words).first().waitFor();
}

const LOGGED_OUT = "Device verified. Log in again to start using it.";

/** Adds a key as the default, which logs the user out. */
export async function addKey(page: Page, name = "My key"): Promise<void> {
  await nameKey(page, name);
  await useKey(page, LOGGED_OUT);
}

/** Logs in by password and key. */
export async function logInByKey(page: Page, user: Person): Promise<void> {
  await logIn(page, user);
  await useKey(page, "My Multi-Factor Devices");
}

/** A user with a key, and a browser without autofill that is not logged in. */
export async function withKey(portal: Portal, kind = PLATFORM) {
  const user = await portal.createUser();
  const page = await withoutAutofill(await portal.open());
  const key = await plugIn(page, kind);
  await logIn(page, user);
  await addKey(page);
  return { user, page, key };
}
