import { expect, test } from "vitest";
import { MINUTE_MS } from "../../units.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { expectAccessible, follow, heading, logIn, press, usePortal } from "./browser.ts";

const portal = usePortal();
const NEW = "quite another one";

test("a user changes the password, is corrected, logged out, and logs in with the new one", async () => {
  const page = await portal.open();
  const user = await portal.createUser();
  await logIn(page, user);
  await page.goto("/sessions");
  await follow(page, "change your password");
  expect(await heading(page)).toBe("Change your password");
  await expectAccessible(page);

  const type = async (current: string, password: string, repeated = password) => {
    await page.getByLabel("Current password").fill(current);
    await page.getByLabel("New password", { exact: true }).fill(password);
    await page.getByLabel("New password again").fill(repeated);
    await press(page, "Change the password");
  };
  await type(user.password, NEW, "quite another two");
  expect(await page.locator("#repeated-error").textContent()).toContain("don't match");
  await type(user.password, "short");
  expect(await page.locator("#password-error").textContent()).toContain("at least 8 characters");
  await type(user.password, "x".repeat(257));
  expect(await page.locator("#password-error").textContent()).toContain("at most 256");
  await type("not my password", NEW);
  expect(await page.locator("#currentPassword-error").textContent()).toContain("password is wrong");
  await expectAccessible(page);
  await type(user.password, NEW);
  expect(await heading(page)).toBe("Log in");
  expect(await page.getByRole("status").textContent()).toContain("Your password was changed");
  await logIn(page, { ...user, password: NEW });
  expect(await heading(page)).toBe("My Multi-Factor Devices");
  expect((await portal.api.logIn(user)).status).toBe(401);
});

test("a session older than fifteen minutes logs in again first, and comes back to the form", async () => {
  const page = await portal.open();
  const user = await portal.createUser();
  await logIn(page, user);
  await portal.advance(16 * MINUTE_MS);
  await page.goto("/sessions/password");
  expect(await heading(page)).toBe("Log in");
  await page.getByLabel("User name").fill(user.username);
  await page.getByLabel("Password").fill(user.password);
  await press(page, "Log in");
  expect(await heading(page)).toBe("Change your password");
  expect((await logInByPassword(portal, user)).scope).toBe("full");
});
