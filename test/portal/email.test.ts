import { expect, test } from "vitest";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { until } from "../support/until.ts";
import { expectAccessible, follow, heading, logIn, press, usePortal } from "./browser.ts";

const portal = usePortal();

test("a user sets the address for notices, is corrected, and removes the address again", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.goto("/devices");
  expect(await page.getByText("No email address").isVisible()).toBe(true);
  await follow(page, "Edit the address for notifications");
  expect(await heading(page)).toBe("Email notifications");
  await expectAccessible(page);

  const address = page.getByLabel("Email address");
  await address.fill("alice@example");
  await press(page, "Save");
  expect(await page.locator("#email-error").textContent()).toContain("email address");
  expect(await address.inputValue()).toBe("alice@example");
  await expectAccessible(page);
  await address.fill("alice@example.com");
  await press(page, "Save");
  expect(await page.getByRole("status").textContent()).toContain("email address was changed");
  expect(await page.getByText("alice@example.com").isVisible()).toBe(true);
  const messages = () => keptMessages(portal.deps.redis, "alice@example.com");
  await until(messages, ({ length }) => length === 1);

  await follow(page, "Edit the address for notifications");
  expect(await address.inputValue()).toBe("alice@example.com");
  await address.fill("");
  await press(page, "Save");
  expect(await page.getByText("No email address").isVisible()).toBe(true);
  await until(messages, ({ length }) => length === 2);
});

test("the page takes what the service takes: an address with an international domain", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.goto("/devices/email");
  const address = page.getByLabel("Email address");
  for (const [typed, kept] of [
    ["info@m\u00fcnchen.example", "info@xn--mnchen-3ya.example"],
    ["o'hara+mfa@xn--e1afmkfd.xn--p1ai", "o'hara+mfa@xn--e1afmkfd.xn--p1ai"],
  ] as const) {
    await page.goto("/devices/email");
    await address.fill(typed);
    await press(page, "Save");
    expect(await page.getByText(kept).isVisible()).toBe(true);
  }
});

test("an administrator can give a new user an address", async () => {
  const page = await portal.open();
  const admin = await portal.createUser({ role: "administrator" });
  await logIn(page, admin);
  await page.goto("/account/users/new");
  await page.getByLabel("User name").fill(`${admin.username}-2`);
  await page.getByLabel("Email address").fill("nowhere@here");
  await page.getByLabel("Password").fill("a long enough one");
  await press(page, "Add the user");
  expect(await page.locator("#email-error").textContent()).toContain("email address");
  await page.getByLabel("Email address").fill("carol@example.com");
  await page.getByLabel("Password").fill("a long enough one");
  await press(page, "Add the user");
  expect(await page.getByRole("status").textContent()).toContain("The user was added");
  const own = await portal.open();
  const username = `${admin.username}-2`;
  await logIn(own, { ...admin, username, password: "a long enough one" });
  await own.goto("/devices");
  expect(await own.getByText("carol@example.com").isVisible()).toBe(true);
});
