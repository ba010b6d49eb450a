import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { logInByPassword } from "../support/scenarios.ts";
import { expectAccessible, heading, logIn, press, usePortal } from "./browser.ts";
import { addApp, logInByApp, withApp } from "./people.ts";

const portal = usePortal();

const active = (page: Page, what: string) => page.evaluate(`document.activeElement.${what}`);

test("a login and a set-up work with the keyboard alone", async () => {
  const user = await portal.createUser();
  const page = await portal.open();
  await page.goto("/login");
  await page.keyboard.press("Tab");
  expect(await active(page, "textContent")).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect(await active(page, "id")).toBe("username");
  await page.keyboard.type(user.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(user.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "My Multi-Factor Devices" }).waitFor();
  await page.getByLabel("Add an SMS device").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Register SMS Device" }).waitFor();
  await page.getByLabel("Country").focus();
  await page.keyboard.type("Germany");
  await page.keyboard.press("Tab");
  expect(await active(page, "id")).toBe("phoneNumber");
  await page.keyboard.type("0151 23456789");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Verify PIN" }).waitFor();
  expect(await active(page, "id")).toBe("code");
  expect(await active(page, "autocomplete")).toBe("one-time-code");
  expect(await active(page, "inputMode")).toBe("numeric");
  await page.keyboard.insertText(` ${await portal.pinTo("+4915123456789")} `);
  await page.keyboard.press("Enter");
  await page.getByText("Device verified. Log in again to start using it.").waitFor();
});

test.each(["light", "dark"] as const)(
  "on a small phone, %s, nothing is cut off or pale",
  async (colorScheme) => {
    const { user, secret } = await withApp(portal);
    const page = await portal.open({ colorScheme, viewport: { width: 320, height: 640 } });
    await logIn(page, { ...user, password: "wrong" });
    await expectFits(page);
    await logIn(page, user);
    await page.getByLabel("Passcode").fill("000000");
    await press(page, "Verify Code");
    await expectFits(page);
    await logInByApp(portal, page, user, secret);
    const paths = ["/devices", "/devices/sms/new", "/devices/otp/new", "/devices/remove-all"];
    const others = [
      "/devices/email",
      "/sessions",
      "/activity",
      "/devices/manage/0",
      "/nowhere",
      "/login/cookies",
    ];
    for (const path of [...paths, ...others]) {
      await page.goto(path);
      await expectFits(page);
    }
    await page.goto("/devices/recovery-codes/new");
    await expectFits(page);
    await press(page, "Generate Codes");
    expect(await heading(page)).toBe("Your recovery codes");
    await expectFits(page);
  },
);

async function expectFits(page: Page): Promise<void> {
  await expectAccessible(page);
  const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  expect(await page.evaluate(overflow), page.url()).toBe(0);
}

test("an open page shows what changes", async () => {
  const admin = await portal.createUser({ role: "administrator" });
  const member = await portal.createUser({ accountId: admin.accountId });
  const page = await portal.open();
  await logIn(page, admin);
  await page.goto("/account/requirement");
  await page.getByLabel("Required for everyone").check();
  await page.getByLabel("Grace period in days").fill("7");
  await press(page, "Save Setting");
  await page.getByText("0 of 2 users are set up (0 %).").waitFor();
  const { token } = await logInByPassword(portal, member);
  await addApp(portal, token);
  await page.getByText("1 of 2 users are set up (50 %).").waitFor();
});
