// Security keys and passkeys on My Multi-Factor Devices, with Chromium's virtual authenticators.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { PLATFORM, plugIn, ROAMING } from "./authenticators.ts";
import { expectAccessible, follow, heading, logIn, press, useKeyPortal } from "./browser.ts";
import { logInByKey, nameKey, useKey, withKey, withoutAutofill } from "./key-people.ts";

const portal = useKeyPortal();

const DEFAULT = "Make this my default authentication method";

async function newUser() {
  const user = await portal.createUser();
  const page = await withoutAutofill(await portal.open());
  await logIn(page, user);
  return { user, page };
}

/** Makes the browser's question for a new key fail with this error. */
const failing = (page: Page, name: string) =>
  page.addInitScript(
    `navigator.credentials.create = async () => { throw new DOMException("x", "${name}") }`,
  );

test("a user adds a passkey of this computer, is logged out, and logs in with it", async () => {
  const { user, page } = await newUser();
  const key = await plugIn(page, PLATFORM);
  await follow(page, "Add a security key or passkey");
  await expectAccessible(page);
  await page.getByLabel("Device nickname").fill("My laptop");
  await press(page, "Continue");
  expect(await heading(page)).toBe("Use your key");
  await expectAccessible(page);
  await useKey(page, "Device verified. Log in again to start using it.");
  expect(await key.count()).toBe(1);
  await expectAccessible(page);
  await logIn(page, user);
  expect(await heading(page)).toBe("Use your security key or passkey");
  await expectAccessible(page);
  await useKey(page, "My Multi-Factor Devices");
  const row = page.getByRole("listitem").filter({ hasText: "My laptop" });
  expect(await row.textContent()).toMatch(/Verified.*Added .*2026.*Last used .*2026/);
  await expectAccessible(page);
});

test("a security key beside others keeps the user logged in if it is not the default", async () => {
  const { user, page } = await newUser();
  const key = await plugIn(page, ROAMING);
  await nameKey(page, "Blue key");
  await page.getByLabel(DEFAULT).uncheck();
  await useKey(page, "You can use it from your next login.");
  expect(await page.getByText("Not used yet.").isVisible()).toBe(true);
  expect(await key.count()).toBe(1);
  await press(page, "Log out");
  await logInByKey(page, user);
});

test("the same key cannot be added twice, as the browser says; another one can", async () => {
  const { user, page } = await withKey(portal);
  await logInByKey(page, user);
  await nameKey(page, "Again");
  await useKey(page, "This key is registered for you already. Use another one.");
  await expectAccessible(page);
  await plugIn(page, ROAMING);
  await useKey(page, "Device verified.");
});

describe("each error of the browser is told in plain words, and the user can try again", () => {
  test.each([
    ["NotAllowedError", "No key was added. It was cancelled"],
    ["AbortError", "The browser ended the question"],
    ["InvalidStateError", "registered for you already"],
    ["SecurityError", "Keys cannot be used at this address. Open http://localhost"],
    ["NotSupportedError", "a kind that cannot be used here"],
    ["ConstraintError", "cannot do what is needed"],
    ["DataError", "Your browser could not use the key"],
  ])("%s", async (name, words) => {
    const { page } = await newUser();
    await failing(page, name);
    await nameKey(page, "My key");
    await useKey(page, words);
    expect(await page.getByRole("alert").count()).toBe(1);
    await page.evaluate("delete navigator.credentials.create");
    await plugIn(page, PLATFORM);
    await useKey(page, "Device verified.");
  });

  test("a browser without keys", async () => {
    const { page } = await newUser();
    await page.addInitScript("delete window.PublicKeyCredential");
    await nameKey(page, "My key");
    await page.getByText("This browser cannot use security keys or passkeys here.").waitFor();
    await expectAccessible(page);
  });
});

test("an unfinished key is verified from the list, with the options that it had", async () => {
  const { page } = await newUser();
  await nameKey(page, "Later");
  await follow(page, "Verify later");
  await follow(page, "Verify Later");
  await plugIn(page, PLATFORM);
  await useKey(page, "Device verified.");
});

test("a refused answer says so, and the key is asked again", async () => {
  const { page } = await newUser();
  await plugIn(page, PLATFORM);
  await nameKey(page, "My key");
  await page.evaluate(`{
    const form = document.querySelector("[data-key]");
    const asked = JSON.parse(form.dataset.options);
    navigator.credentials.create = ((create) => ({ publicKey }) =>
      create.call(navigator.credentials, {
        publicKey: { ...publicKey, challenge: new Uint8Array(32) },
      }))(navigator.credentials.create);
  }`);
  await useKey(page, "The answer of your security key or passkey was not accepted. Try again");
  await expectAccessible(page);
  await press(page, "Try again");
  await useKey(page, "Device verified.");
});

test("a device that another tab removes between the question and the answer is not added", async () => {
  const { page } = await newUser();
  await plugIn(page, PLATFORM);
  await nameKey(page, "My key");
  const tab = await page.context().newPage();
  await tab.goto("/devices");
  await follow(tab, "Manage My key");
  await follow(tab, "Remove this device");
  await press(tab, "Remove this device");
  await useKey(page, "Device not found");
});

test("two tabs ask for one key: the second says that it is verified", async () => {
  const { page } = await newUser();
  await plugIn(page, PLATFORM);
  await nameKey(page, "My key");
  const tab = await page.context().newPage();
  await plugIn(tab, PLATFORM);
  await tab.goto(page.url());
  for (const one of [page, tab]) await one.getByLabel(DEFAULT).uncheck();
  await useKey(page, "You can use it from your next login.");
  await useKey(tab, "You can use it to log in.");
  expect(await heading(tab)).toBe("My Multi-Factor Devices");
});

test("a key is renamed and removed, and the browser is told", async () => {
  const { user, page, key } = await withKey(portal);
  await addSignals(page);
  await logInByKey(page, user);
  expect((await signals(page)).allAcceptedCredentialIds).toHaveLength(1);
  await follow(page, "Manage My key");
  await expectAccessible(page);
  await page.getByLabel("Device nickname").fill("");
  await page.locator("form[action$=name]").evaluate((form: { noValidate: boolean }) => {
    form.noValidate = true;
  });
  await press(page, "Save Nickname");
  expect(await page.locator("#name-error").isVisible()).toBe(true);
  await page.getByLabel("Device nickname").fill("Old laptop");
  await press(page, "Save Nickname");
  expect(await heading(page)).toBe("Old laptop");
  await follow(page, "Remove this device");
  expect(await page.getByText("You can no longer log in with it.").isVisible()).toBe(true);
  await press(page, "Remove this device");
  await page.getByText("The device was removed.").waitFor();
  expect((await signals(page)).allAcceptedCredentialIds).toHaveLength(0);
  await expect.poll(() => key.count()).toBe(0);
});

const addSignals = (page: Page) =>
  page.addInitScript(`{
    const signal = PublicKeyCredential.signalAllAcceptedCredentials;
    PublicKeyCredential.signalAllAcceptedCredentials = (told) => {
      window.told = told;
      return signal.call(PublicKeyCredential, told);
    };
  }`);

const signals = (page: Page) =>
  page.evaluate("window.told") as Promise<{ allAcceptedCredentialIds: string[] }>;

test("without JavaScript the pages say what is missing", async () => {
  const user = await portal.createUser();
  const page = await portal.open({ javaScriptEnabled: false });
  const missing = page.getByText("Security keys and passkeys need JavaScript.");
  await page.goto("/login");
  expect(await missing.isVisible()).toBe(true);
  await logIn(page, user);
  await nameKey(page, "My key");
  expect(await missing.isVisible()).toBe(true);
  expect(await page.getByRole("button", { name: /Use your security key/ }).count()).toBe(0);
});

test("the scripts for keys are small, and only the pages that ask for keys load them", async () => {
  const { page } = await newUser();
  const scripts = () =>
    page.evaluate("[...document.scripts].map(({ src }) => src)") as Promise<string[]>;
  expect(await scripts()).toHaveLength(1);
  await nameKey(page, "My key");
  const [, ...own] = await scripts();
  const texts = await Promise.all(own.map(async (src) => (await fetch(src)).text()));
  expect(own).toHaveLength(2);
  expect(Buffer.byteLength(texts.join(""))).toBeLessThan(15 * 1024);
});
