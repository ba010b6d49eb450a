import { describe, expect, test } from "vitest";
import { MINUTE_MS } from "../../units.ts";
import { expectAccessible, follow, heading, logIn, press, usePortal } from "./browser.ts";
import { logInByApp, withApp, withBoth } from "./people.ts";

const portal = usePortal();

test("the default method can be changed, and the next login begins with it", async () => {
  const { user, secret, page } = await withBoth(portal);
  await logIn(page, user);
  await press(page, "Use my authenticator app");
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  await follow(page, "Edit the default authentication method");
  expect(await page.getByLabel("SMS", { exact: true }).isChecked()).toBe(true);
  await expectAccessible(page);
  await page.getByLabel("Mobile Passcode (OTP)").check();
  await press(page, "Save");
  expect(await page.getByRole("status").textContent()).toContain("default authentication method");
  const other = await portal.open();
  await logIn(other, user);
  expect(await other.getByText("Open your authenticator app").isVisible()).toBe(true);
});

test("an app can be removed; without a verified device multi-factor authentication is off", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  await follow(page, "Manage App");
  expect(await heading(page)).toBe("App");
  await expectAccessible(page);
  await follow(page, "Remove this device");
  expect(await page.getByText("turns off multi-factor authentication").isVisible()).toBe(true);
  await expectAccessible(page);
  await press(page, "Remove this device");
  expect(await page.getByRole("status").textContent()).toContain("The device was removed");
  expect(await page.getByText("Not enabled").isVisible()).toBe(true);
});

test("removing all devices asks first", async () => {
  const { user, secret, page } = await withBoth(portal);
  await logIn(page, user);
  await press(page, "Use my authenticator app");
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  await follow(page, "Remove all devices");
  await expectAccessible(page);
  await press(page, "Remove all devices");
  expect(await page.getByRole("status").textContent()).toContain("All devices were removed");
  expect(await page.getByText("No authenticator apps yet.").isVisible()).toBe(true);
  expect(await page.getByText("No phone yet.").isVisible()).toBe(true);
});

test("after 15 minutes a change asks for a login, and continues from there", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  await portal.advance(16 * MINUTE_MS);
  await page.goto("/devices");
  await follow(page, "Generate Recovery Codes");
  expect(await page.getByRole("status").textContent()).toContain("confirm it's you");
  await expectAccessible(page);
  await page.getByLabel("User name").fill(user.username);
  await page.getByLabel("Password").fill(user.password);
  await press(page, "Log in");
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  expect(await heading(page)).toBe("Generate Recovery Codes");
  await press(page, "Generate Codes");
  expect(await heading(page)).toBe("Your recovery codes");
});

test("after the fifth app no other can be added, also in a tab that was left open", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  for (let n = 2; n <= 5; n++) {
    await page.goto("/devices/otp/new");
    await page.getByLabel("Device nickname").fill(`App ${n}`);
    await press(page, "Add Device");
  }
  await page.goto("/devices/otp/new");
  await page.getByLabel("Device nickname").fill("App 6");
  await press(page, "Add Device");
  expect(await page.locator("#name-error").textContent()).toContain("You have 5 apps, the maximum");
  await page.getByLabel("Device nickname").fill("a".repeat(65));
  await press(page, "Add Device");
  expect(await page.locator("#name-error").textContent()).toContain("at most 64 characters");
  await follow(page, "Cancel");
  expect(await page.getByLabel("Add an OTP device").count()).toBe(0);
});

describe("two tabs", () => {
  test("a device removed in one is gone in the other, which says so", async () => {
    const { user, secret, page } = await withApp(portal);
    await logInByApp(portal, page, user, secret);
    await follow(page, "Manage App");
    await follow(page, "Remove this device");
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await press(tab, "Remove this device");
    await press(page, "Remove this device");
    expect(await heading(page)).toBe("Device not found");
    await expectAccessible(page);
    await follow(page, "Go to the start page");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });

  test("logging out in one tab logs the other out, which says why", async () => {
    const user = await portal.createUser();
    const page = await portal.open();
    await logIn(page, user);
    const tab = await page.context().newPage();
    await tab.goto("/devices");
    await press(page, "Log out");
    expect(await page.getByRole("status").textContent()).toBe("You logged out.");
    await follow(tab, "Add an OTP device");
    expect(await heading(tab)).toBe("Log in");
    await tab.goBack();
    expect(await heading(tab)).toBe("Log in");
  });
});

describe("sessions", () => {
  test("another browser's session can be seen and ended, and that browser says so", async () => {
    const user = await portal.createUser();
    const [here, there] = [await portal.open(), await portal.open()];
    await logIn(here, user);
    await logIn(there, user);
    await follow(here, "Sessions");
    expect(await here.getByText(/^Chrome \d+ on Linux$/).count()).toBe(2);
    await expectAccessible(here);
    await press(here, "End this session");
    expect(await here.getByRole("status").textContent()).toBe("The session has ended.");
    await there.reload();
    expect(await there.getByRole("status").textContent()).toContain(
      "logged out from another device",
    );
  });

  test("a browser that logs in again leaves no old session", async () => {
    const user = await portal.createUser();
    const page = await portal.open();
    await logIn(page, user);
    await page.goto("/login?again");
    await page.getByLabel("User name").fill(user.username);
    await page.getByLabel("Password").fill(user.password);
    await press(page, "Log in");
    await follow(page, "Sessions");
    expect(await page.getByText("This device").count()).toBe(1);
    expect(await page.getByRole("button", { name: "End this session" }).count()).toBe(0);
  });
});

test("an impossible number of codes is an error at its field, and no code is made", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  await follow(page, "Generate Recovery Codes");
  const quantity = page.getByLabel("Quantity");
  await quantity.evaluate((input) => input.removeAttribute("max"));
  await quantity.fill("11");
  await press(page, "Generate Codes");
  expect(await heading(page)).toBe("Generate Recovery Codes");
  expect(await page.getByRole("alert").textContent()).toContain("1 to 10");
  expect(await quantity.getAttribute("aria-invalid")).toBe("true");
  await expectAccessible(page);
  await page.goto("/devices");
  expect(await page.getByText("No codes").isVisible()).toBe(true);
});

test("Back and reload on the way: codes are not made twice, a removal is not repeated", async () => {
  const { user, secret, page } = await withBoth(portal);
  await logIn(page, user);
  await press(page, "Use my authenticator app");
  await page.reload();
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");

  // Recovery codes: a reload hides them and makes no second set.
  await follow(page, "Generate Recovery Codes");
  await press(page, "Generate Codes");
  const codes = await page.locator("#codes li").allTextContents();
  expect(codes).toHaveLength(10);
  await page.reload();
  await page.goto("/devices");
  expect(await page.getByText("10 left").isVisible()).toBe(true);

  // The default method: going back from its page changes nothing.
  await follow(page, "Edit the default authentication method");
  await page.goBack();
  expect(await heading(page)).toBe("My Multi-Factor Devices");

  // The removal: going back to the question afterwards and answering it again.
  await follow(page, "Remove all devices");
  await page.reload();
  await press(page, "Remove all devices");
  expect(await page.getByRole("status").textContent()).toContain("All devices were removed");
  await page.goBack();
  await page.reload();
  await page.goto("/devices");
  expect(await page.getByText("Not enabled").isVisible()).toBe(true);
});
