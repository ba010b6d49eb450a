import { expect, test } from "vitest";
import { expectAccessible, follow, heading, logIn, usePortal } from "./browser.ts";

const portal = usePortal();

test("an administrator finds the users and their own devices in the menu Account", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser({ role: "administrator" }));
  const menu = page.locator("details.menu");
  const list = menu.getByRole("link", { name: "User List" });
  expect(await list.isVisible()).toBe(false);
  await page.getByText("Account", { exact: true }).click();
  expect(await menu.getByRole("link", { name: "My Multi-Factor Devices" }).isVisible()).toBe(true);
  await expectAccessible(page);
  await list.click();
  expect(new URL(page.url()).pathname).toBe("/account/users");
  const here = page.locator('nav a[aria-current="page"]');
  expect(await here.allTextContents()).toEqual(["User List"]);
  expect(await heading(page)).toBe("User List");
  expect(await page.title()).toMatch(/^User List - /);
  await page.goto("/account/webhooks");
  expect(await here.allTextContents()).toEqual(["Account Settings"]);
  // The page also has a direct link.
  await follow(page, "My Multi-Factor Devices");
  await follow(page, "Edit Require multi-factor authentication");
  expect(await heading(page)).toBe("Account-wide two-factor authentication");
  expect(await page.getByRole("button", { name: "Save Setting" }).isVisible()).toBe(true);
});

test("a member finds their own devices in the menu, and nothing about the account", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.getByText("Account", { exact: true }).click();
  const links = page.locator("details.menu").getByRole("link");
  expect(await links.allTextContents()).toEqual(["My Multi-Factor Devices", "Change Password"]);
  expect(await page.getByText("Account-wide").count()).toBe(0);
});

test("the apps that the original names are named, and today's common ones too", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.goto("/devices/otp/new");
  const text = await page.locator("main").textContent();
  for (const app of ["Authy", "Duo", "Google Authenticator", "SecureAuth", "Microsoft", "Aegis"])
    expect(text).toContain(app);
});
