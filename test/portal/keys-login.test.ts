// Logins by security keys and passkeys, with Chromium's virtual authenticators.
import { eq } from "drizzle-orm";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { accounts } from "../../store/postgres/schema.ts";
import type { Person } from "../support/people.ts";
import { PLATFORM, plugIn, ROAMING } from "./authenticators.ts";
import { expectAccessible, follow, heading, logIn, press, useKeyPortal } from "./browser.ts";
import { logInByKey, nameKey, USE, useKey, withKey, withoutAutofill } from "./key-people.ts";
import { addApp, withPhone } from "./people.ts";

const portal = useKeyPortal();

const PASSKEY = "Log in with a passkey";
const DEVICES = "My Multi-Factor Devices";

const arrived = (page: Page, title = DEVICES) =>
  page.getByRole("heading", { name: title, exact: true }).waitFor();

const setAccount = (user: Person, values: Partial<typeof accounts.$inferInsert>) =>
  portal.deps.db.update(accounts).set(values).where(eq(accounts.id, user.accountId));

describe("the second step", () => {
  test("the button has the focus, so Enter asks for the key", async () => {
    const { user, page } = await withKey(portal, ROAMING);
    await logIn(page, user);
    await page.getByRole("button", { name: USE }).waitFor();
    await page.keyboard.press("Enter");
    await arrived(page);
  });

  test("a wrong PIN or a cancelled question is told, and the next try logs in", async () => {
    const { user, page } = await withKey(portal);
    await logIn(page, user);
    await page.evaluate(
      `navigator.credentials.get = async () => { throw new DOMException("x", "NotAllowedError") }`,
    );
    await useKey(page, "No key answered. It was cancelled");
    await expectAccessible(page);
    await page.evaluate("delete navigator.credentials.get");
    await useKey(page, DEVICES);
  });

  test("another user's key is not accepted", async () => {
    const { user } = await withKey(portal);
    const { page } = await withKey(portal);
    await logIn(page, user);
    await page.evaluate(`{
      const get = navigator.credentials.get.bind(navigator.credentials);
      navigator.credentials.get = ({ publicKey }) =>
        get({ publicKey: { ...publicKey, allowCredentials: [] } });
    }`);
    await useKey(page, "The answer of your security key or passkey was not accepted. Try again");
    expect(await heading(page)).toBe(USE);
    await expectAccessible(page);
  });

  test("in two tabs of one login each asks anew; the second says that it was completed", async () => {
    const { user, page } = await withKey(portal);
    await logIn(page, user);
    const tab = await page.context().newPage();
    await plugIn(tab, PLATFORM);
    await tab.goto(page.url());
    await useKey(page, DEVICES);
    await tab.bringToFront();
    await tab.getByRole("button", { name: USE }).click();
    await tab.getByRole("alert").waitFor();
    expect(await tab.getByRole("alert").textContent()).toContain("already completed");
  });

  test("a login that took too long says so", async () => {
    const { user, page } = await withKey(portal);
    await logIn(page, user);
    await portal.advance(11 * 60_000);
    await useKey(page, "This login expired. Log in again.");
  });

  test("the other methods and a recovery code are offered, and the key after them", async () => {
    const { user, page } = await withThree();
    await logIn(page, user);
    expect(await heading(page)).toBe("Enter your passcode");
    await press(page, "Use my security key or passkey");
    expect(await heading(page)).toBe(USE);
    await follow(page, "Use a recovery code");
    expect(await heading(page)).toBe("Enter a recovery code");
    await follow(page, USE);
    await press(page, "Use my authenticator app");
    expect(await page.getByText("Open your authenticator app").isVisible()).toBe(true);
    for (const other of ["Send a passcode to my phone", "Use my security key or passkey"])
      expect(await page.getByRole("button", { name: other }).isVisible()).toBe(true);
    await press(page, "Use my security key or passkey");
    await useKey(page, DEVICES);
    await follow(page, "Edit the default authentication method");
    await page.getByLabel("Security key or passkey").check();
    await expectAccessible(page);
    await press(page, "Save");
    await press(page, "Log out");
    await logInByKey(page, user);
  });
});

/** A user with a phone (the default), an app and a key. */
async function withThree() {
  const { user, number, page } = await withPhone(portal);
  await withoutAutofill(page);
  await plugIn(page, PLATFORM);
  await logInBySms(page, user, number);
  await nameKey(page, "My key");
  await page.getByLabel("Make this my default").uncheck();
  await useKey(page, "You can use it from your next login.");
  const cookies = await page.context().cookies();
  const token = cookies.find(({ name }) => name.endsWith("session"))?.value ?? "";
  await addApp(portal, token);
  await page.goto("/devices/default");
  await page.getByLabel("SMS", { exact: true }).check();
  await press(page, "Save");
  await press(page, "Log out");
  return { user, number, page };
}

async function logInBySms(page: Page, user: Person, number: string) {
  await logIn(page, user);
  await page.getByLabel("Passcode").fill(await portal.passcodeTo(number));
  await press(page, "Verify Code");
}

describe("a passkey alone", () => {
  test("by the button, where the browser has no autofill", async () => {
    const { page } = await withKey(portal);
    await page.goto("/login?to=%2Factivity");
    await expectAccessible(page);
    await press(page, PASSKEY);
    await arrived(page, "Activity");
    const login = "Login succeeded: security key or passkey, My key";
    expect(await page.locator("main").textContent()).toContain(login);
  });

  test("by autofill", async () => {
    const { page } = await withPasskeyIn(await portal.open());
    await page.goto("/login");
    await arrived(page);
  });

  test("autofill survives an error", async () => {
    const { page } = await withPasskeyIn(await portal.open());
    await page.addInitScript(`{
      const get = navigator.credentials.get.bind(navigator.credentials);
      const refuse = (_, reject) => setTimeout(() => {
        navigator.credentials.get = get;
        sessionStorage.refused = "yes";
        reject(new DOMException("x", "NotAllowedError"));
      }, 1500);
      navigator.credentials.get = () => new Promise(refuse);
    }`);
    await page.goto("/login");
    await arrived(page);
    expect(await page.evaluate("sessionStorage.refused")).toBe("yes");
  });

  test("a browser that refuses autofill at once is not asked again, until the button is pressed", async () => {
    const page = await portal.open();
    await page.addInitScript(`
      window.asked = 0;
      navigator.credentials.get = async () => {
        window.asked++;
        throw new DOMException("x", "NotAllowedError");
      };
    `);
    await page.goto("/login");
    await expect.poll(() => page.evaluate("window.asked")).toBe(1);
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    await page.getByRole("button", { name: PASSKEY }).click();
    await page.getByText("No key answered.").waitFor();
    await expect.poll(() => page.evaluate("window.asked")).toBe(3);
    await expectAccessible(page);
  });

  test("a passkey that was removed here is refused, and the page goes on to work", async () => {
    const { user, page } = await withKey(portal);
    await page.addInitScript("delete PublicKeyCredential.signalAllAcceptedCredentials");
    await logInByKey(page, user);
    await page.goto("/devices/remove-all");
    await press(page, "Remove all devices");
    await press(page, "Log out");
    await press(page, PASSKEY);
    await page.getByText("This passkey cannot be used to log in.").waitFor();
    await expectAccessible(page);
    await logIn(page, user);
    await arrived(page);
  });

  test("options that have expired are said to have; the page has new ones", async () => {
    const { page } = await withKey(portal);
    await page.goto("/login");
    await page.route("**/login/passkey", async (route) => {
      await portal.advance(6 * 60_000);
      await route.continue();
    });
    await press(page, PASSKEY);
    await page.getByText("This login expired.").waitFor();
    await page.unroute("**/login/passkey");
    await press(page, PASSKEY);
    await arrived(page);
  });

  test("where the account has turned it off, the page says how to log in", async () => {
    const { user, page } = await withKey(portal);
    await setAccount(user, { passkeyLogin: false });
    await page.goto("/login");
    await press(page, PASSKEY);
    await page
      .getByText("Your account does not allow login by passkey alone. Log in with your user name")
      .waitFor();
  });

  test("a security key that keeps no passkeys cannot, and the page says so", async () => {
    const { page } = await withKey(portal, ROAMING);
    await page.goto("/login");
    await press(page, PASSKEY);
    await page.getByText("No key answered.").waitFor();
  });
});

/** A new user's passkey in a browser with autofill, which is not logged in. */
async function withPasskeyIn(page: Page) {
  const user = await portal.createUser();
  await logIn(page, user);
  const key = await plugIn(page, PLATFORM);
  await nameKey(page, "My key");
  await page.getByLabel("Make this my default").uncheck();
  await useKey(page, "You can use it from your next login.");
  await page.context().clearCookies();
  return { user, page, key };
}

test("where a key is required, a login by SMS leads to its set-up, and to nothing else", async () => {
  const { user, number, page } = await withPhone(portal);
  await withoutAutofill(page);
  await setAccount(user, { requirement: "phishing_resistant" });
  await logInBySms(page, user, number);
  expect(await heading(page)).toBe("A security key or passkey is required");
  await expectAccessible(page);
  await page.goto("/devices");
  expect(await page.getByRole("link", { name: "Add", exact: false }).allTextContents()).toEqual([
    "Add",
  ]);
  await page.goto("/");
  await follow(page, "Add a Security Key or Passkey");
  await page.getByLabel("Device nickname").fill("My laptop");
  await press(page, "Continue");
  await plugIn(page, PLATFORM);
  await useKey(page, "Device verified. Log in again to start using it.");

  // Nothing is offered that would be refused.
  await logIn(page, user);
  expect(await heading(page)).toBe(USE);
  const ways = page.locator("#offers");
  expect(await ways.getByRole("button").count()).toBe(0);
  expect(await ways.getByRole("link").allTextContents()).toEqual(["Log in as someone else"]);
  await useKey(page, "My Multi-Factor Devices");
});
