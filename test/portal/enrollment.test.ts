import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { wrongCode } from "../support/scenarios.ts";
import {
  expectAccessible,
  follow,
  heading,
  logIn,
  press,
  readBarcode,
  secretOf,
  usePortal,
} from "./browser.ts";

const portal = usePortal();

const STEP_MS = 30_000;

async function newUser(): Promise<{ user: Person; page: Page }> {
  const user = await portal.createUser();
  const page = await portal.open();
  await logIn(page, user);
  return { user, page };
}

/** Step 1 for a phone; the page shows step 2. */
async function registerPhone(page: Page) {
  const phone = newPhone();
  await follow(page, "Add an SMS device");
  await page.getByLabel("Country").selectOption("US");
  await page.getByLabel("Phone number").fill(phone.phoneNumber);
  await press(page, "Add SMS Device");
  return phone.e164;
}

test("a phone is registered and verified; its owner is logged out, and later logins ask for it", async () => {
  const { user, page } = await newUser();
  expect(await heading(page)).toBe("My Multi-Factor Devices");
  await expectAccessible(page);
  expect(await page.getByText("Not enabled").isVisible()).toBe(true);

  await follow(page, "Add an SMS device");
  expect(await heading(page)).toBe("Register SMS Device");
  expect(await page.getByText("Standard message and data rates may apply").isVisible()).toBe(true);
  expect(await page.locator("option", { hasText: "Germany (+49)" }).count()).toBe(1);
  await expectAccessible(page);
  await page.getByLabel("Phone number").fill("12");
  await press(page, "Add SMS Device");
  expect(await page.getByRole("alert").textContent()).toBe("The number has too few digits.");
  expect(await page.evaluate("document.activeElement.id")).toBe("phoneNumber");
  await expectAccessible(page);

  const phone = newPhone();
  await page.getByLabel("Phone number").fill(phone.phoneNumber);
  await press(page, "Add SMS Device");
  expect(await heading(page)).toBe("Verify PIN");
  const pin = await portal.pinTo(phone.e164);
  await page.getByText(/We sent a PIN to/).waitFor();
  await expectAccessible(page);

  await page.getByLabel("PIN", { exact: true }).fill(wrongCode(pin));
  await press(page, "Verify SMS Device");
  expect(await page.getByRole("alert").textContent()).toContain("4 tries are left");
  expect(await page.evaluate("document.activeElement.id")).toBe("code");
  await page.getByLabel("PIN", { exact: true }).fill(pin);
  await press(page, "Verify SMS Device");
  expect(new URL(page.url()).pathname).toBe("/login");
  expect(await page.getByRole("status").textContent()).toBe(
    "Device verified. Log in again to start using it.",
  );

  await logIn(page, user);
  expect(await heading(page)).toBe("Enter your passcode");
  const passcode = await portal.passcodeTo(phone.e164);
  await page.getByText(/We sent a 7-digit passcode to/).waitFor();
  await expectAccessible(page);
  await page.getByLabel("Passcode").fill(wrongCode(passcode));
  await press(page, "Verify Code");
  expect(await page.getByRole("alert").textContent()).toContain("6 tries are left");
  await expectAccessible(page);
  await page.getByLabel("Passcode").fill(passcode);
  await press(page, "Verify Code");
  expect(await heading(page)).toBe("My Multi-Factor Devices");
  expect(await page.getByText("Enabled", { exact: true }).isVisible()).toBe(true);
  const alone = page.getByText("Your password alone is not enough to log in.");
  expect(await alone.isVisible()).toBe(true);
  await expectAccessible(page);
});

test("an app is set up by the QR code on the page", async () => {
  const { user, page } = await newUser();
  await follow(page, "Add an OTP device");
  expect(await heading(page)).toBe("Name of your Device");
  await expectAccessible(page);
  await page.getByLabel("Device nickname").fill("Pocket 📱");
  await press(page, "Add Device");
  expect(await heading(page)).toBe("Verify Code");
  await expectAccessible(page);
  const uri = await readBarcode(page);
  const secret = uri.searchParams.get("secret") ?? "";
  expect(uri.href).toMatch(/^otpauth:\/\/totp\/Second%20Step:/);
  expect((await page.locator("#secret").textContent())?.replaceAll(" ", "")).toBe(secret);
  const code = await portal.codeOf(secret);
  await page.getByLabel("Code", { exact: true }).fill(wrongCode(code));
  await press(page, "Verify Mobile Passcode");
  expect(await page.getByRole("alert").textContent()).toContain("Enter the current code");
  await expectAccessible(page);
  await page.getByLabel("Code", { exact: true }).fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  expect(await page.getByLabel("Make this my default authentication method").isChecked()).toBe(
    true,
  );
  await press(page, "Verify Mobile Passcode");
  expect(await page.getByRole("status").textContent()).toContain("Device verified");

  await logIn(page, user);
  await portal.advance(STEP_MS);
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  expect(await page.getByText("Pocket 📱").isVisible()).toBe(true);
});

test("an app that is not made the default leaves its owner logged in", async () => {
  const { page } = await newUser();
  await follow(page, "Add an OTP device");
  await page.getByLabel("Device nickname").fill("App");
  await press(page, "Add Device");
  const code = await portal.codeOf(await secretOf(page));
  await page.getByLabel("Code", { exact: true }).fill(code);
  await page.getByLabel("Make this my default authentication method").uncheck();
  await press(page, "Verify Mobile Passcode");
  expect(await page.getByRole("status").textContent()).toContain("Device verified");
});

test("reload, Back and sending the name again make no second device", async () => {
  const { page } = await newUser();
  await follow(page, "Add an OTP device");
  await page.getByLabel("Device nickname").fill("Once");
  await press(page, "Add Device");
  const first = await secretOf(page);
  await page.reload();
  expect(await secretOf(page)).toBe(first);
  await press(page, "Create a new QR code");
  const second = await secretOf(page);
  expect(second).not.toBe(first);
  await page.reload();
  await page.goto("/devices");
  expect(await page.getByText("Once").count()).toBe(1);
  await follow(page, "Manage Once");
  await follow(page, "Verify");
  await page.getByLabel("Code", { exact: true }).fill(await portal.codeOf(second));
  await press(page, "Verify Mobile Passcode");
  expect(await page.getByRole("status").textContent()).toContain("Device verified");
  await page.goBack();
  await page.goBack();
  expect(new URL(page.url()).pathname).toBe("/login");
});

test("a phone can stay unverified and be verified later, after a reload, or be removed", async () => {
  const { page } = await newUser();
  const number = await registerPhone(page);
  await portal.pinTo(number);
  await page.reload();
  expect(await heading(page)).toBe("Verify PIN");
  await follow(page, "Verify later");
  await follow(page, "Verify the SMS device");
  expect(
    await page.getByRole("button", { name: /^Send a new PIN \(in \d+ s\)$/ }).isDisabled(),
  ).toBe(true);
  await portal.advance(STEP_MS);
  await page.reload();
  await press(page, "Send a new PIN");
  const pin = await portal.pinTo(number);
  await page.goto("/devices");
  await follow(page, "Manage the SMS device");
  await expectAccessible(page);
  await follow(page, "Verify");
  await page.getByText(/We sent a PIN to/).waitFor();
  await page.getByLabel("PIN", { exact: true }).fill(pin);
  await press(page, "Verify SMS Device");
  expect(await page.getByRole("status").textContent()).toContain("Device verified");
});
