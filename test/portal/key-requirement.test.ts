import { expect, test } from "vitest";
import { KEY_SETTINGS } from "../support/keys.ts";
import {
  expectAccessible,
  follow,
  heading,
  logIn,
  openAccount,
  press,
  usePortal,
} from "./browser.ts";

const portal = usePortal(KEY_SETTINGS);

test("an administrator allows no login by passkey alone, then requires a key of everyone", async () => {
  const admin = await portal.createUser({ role: "administrator" });
  await portal.createUser({ accountId: admin.accountId });
  const page = await portal.open();
  await logIn(page, admin);
  await openAccount(page);
  await follow(page, "Edit Login by passkey alone");
  await expectAccessible(page);
  await page.getByLabel("Not allowed").check();
  await press(page, "Save Setting");
  expect(await page.getByText("Not allowed: users need their password").isVisible()).toBe(true);
  await follow(page, "Activity of the account");
  expect(await page.getByText("login by a passkey alone: off").isVisible()).toBe(true);

  await page.goto("/account/users");
  expect(await page.getByText("No key").count()).toBe(0);
  await follow(page, "Users without a second key");
  expect(await page.getByRole("listitem").filter({ hasText: "user-" }).count()).toBe(2);
  await expectAccessible(page);

  await page.goto("/account/requirement");
  await page.getByLabel("Security key or passkey required for everyone").check();
  await press(page, "Save Setting");
  expect(await page.getByText("Grace period", { exact: true }).isVisible()).toBe(true);
  expect(
    await page.getByText("0 of 2 users have a security key or passkey").first().isVisible(),
  ).toBe(true);
  await page.goto("/account/users");
  expect(await page.getByText("No key", { exact: true }).count()).toBe(2);

  await page.goto("/account/requirement");
  expect(await page.getByText("You have no security key or passkey").isVisible()).toBe(true);
  await page.getByLabel("Grace period in days").fill("0");
  await press(page, "Save Setting");
  expect(await heading(page)).toBe("Require it now?");
  const question = page.getByText(
    "log out everyone who did not log in with a security key or passkey, including you. 2 of 2 people have none",
  );
  expect(await question.isVisible()).toBe(true);
  await follow(page, "Cancel");
  const chosen = page.getByLabel("Security key or passkey required for everyone");
  expect(await chosen.isChecked()).toBe(true);
  await press(page, "Save Setting");
  await press(page, "Require it now");
  await page.goto("/devices");
  expect(await page.getByText("A security key or passkey is now required").isVisible()).toBe(true);
});
