import { describe, expect, test } from "vitest";
import { MINUTE_MS, SECOND_MS } from "../../units.ts";
import { newPhone } from "../support/phones.ts";
import { wrongCode } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
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
import { logInByApp, withApp, withBoth, withPhone } from "./people.ts";

const portal = usePortal({ SUPPORT_CONTACT: "mailto:help@panel.example" });

async function newUser() {
  const user = await portal.createUser();
  const page = await portal.open();
  await logIn(page, user);
  return { user, page };
}

describe("setting up an app", () => {
  async function atTheQrCode() {
    const { user, page } = await newUser();
    await follow(page, "Add an OTP device");
    await page.getByLabel("Device nickname").fill("My phone");
    await press(page, "Add Device");
    return { user, page, address: page.url(), secret: await secretOf(page) };
  }

  test("a wrong code, a reload and Back keep the QR code and the secret on the page", async () => {
    const { page, secret } = await atTheQrCode();
    expect(decodeURIComponent((await readBarcode(page)).pathname)).toContain("(My phone)");
    const code = page.getByLabel("Code", { exact: true });
    await code.fill(wrongCode(await portal.codeOf(secret)));
    await press(page, "Verify Mobile Passcode");
    expect(await page.getByRole("alert").textContent()).toContain("Enter the current code");
    expect(await secretOf(page)).toBe(secret);
    expect(await page.locator("#secret").isVisible()).toBe(true);
    await expectAccessible(page);
    await page.reload();
    expect(await secretOf(page)).toBe(secret);
    await follow(page, "Verify later");
    await page.goBack();
    expect(await secretOf(page)).toBe(secret);
    await code.fill(await portal.codeOf(secret));
    await press(page, "Verify Mobile Passcode");
    expect(await page.getByRole("status").textContent()).toContain("Device verified");
  });

  test("attack: another session of the user does not see the secret", async () => {
    const { user, address, secret } = await atTheQrCode();
    const other = await portal.open();
    await logIn(other, user);
    await other.goto(address);
    expect(await heading(other)).toBe("Verify Code");
    expect(await other.locator("img.barcode").count()).toBe(0);
    expect((await other.content()).replaceAll(" ", "")).not.toContain(secret);
    await press(other, "Create a new QR code");
    expect(await secretOf(other)).not.toBe(secret);
  });

  test("once it is verified nobody sees its secret again", async () => {
    const { page, address, secret } = await atTheQrCode();
    await page.getByLabel("Code", { exact: true }).fill(await portal.codeOf(secret));
    await page.getByLabel("Make this my default authentication method").uncheck();
    await press(page, "Verify Mobile Passcode");
    await page.goto(address);
    expect((await page.content()).replaceAll(" ", "")).not.toContain(secret);
  });
});

describe("setting up a phone", () => {
  async function atThePin() {
    const { user, page } = await newUser();
    const phone = newPhone();
    await follow(page, "Add an SMS device");
    await page.getByLabel("Country").selectOption("US");
    await page.getByLabel("Phone number").fill(phone.phoneNumber);
    await press(page, "Add SMS Device");
    return { user, page, address: page.url(), e164: phone.e164 };
  }

  const digitsOf = (text: string | null) => (text ?? "").replace(/\D/g, "");

  test("the user who typed the number sees all of it, and can change it", async () => {
    const { user, page, address, e164 } = await atThePin();
    await page.getByText(/We sent a PIN to/).waitFor();
    expect(digitsOf(await page.locator("#delivery").textContent())).toContain(e164.slice(1));
    await expectAccessible(page);
    await page.reload();
    expect(digitsOf(await page.locator("#delivery").textContent())).toContain(e164.slice(1));

    const other = await portal.open();
    await logIn(other, user);
    await other.goto(address);
    expect(digitsOf(await other.locator("main").textContent())).not.toContain(e164.slice(2, -4));

    await follow(page, "Remove it");
    expect(digitsOf(await page.locator("main").textContent())).not.toContain(e164.slice(2, -4));
    await press(page, "Remove this device");
    await follow(page, "Add an SMS device");
    expect(await heading(page)).toBe("Register SMS Device");
  });

  test("the page counts down to the next PIN, and says when one was sent", async () => {
    const { page, e164 } = await atThePin();
    await portal.pinTo(e164);
    const button = page.getByRole("button", { name: /^Send a new PIN/ });
    expect(await button.textContent()).toMatch(/\(in \d+ s\)/);
    expect(await button.isDisabled()).toBe(true);
    await portal.advance(31 * SECOND_MS);
    await page.reload();
    await press(page, "Send a new PIN");
    expect(await page.getByRole("status").first().textContent()).toContain("a new PIN");
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel("PIN", { exact: true }).fill(await portal.pinTo(e164));
    await press(page, "Verify SMS Device");
    expect(await page.getByRole("status").textContent()).toContain("Device verified");
  });

  test("without a script the wait is shown too; a request that is too early says how long", async () => {
    const user = await portal.createUser();
    const page = await portal.open({ javaScriptEnabled: false });
    await logIn(page, user);
    await page.goto("/devices/sms/new");
    await page.getByLabel("Country").selectOption("US");
    const { phoneNumber, e164 } = newPhone();
    await page.getByLabel("Phone number").fill(phoneNumber);
    await press(page, "Add SMS Device");
    await portal.pinTo(e164);
    // Without scripts a page does not update, and the PIN may be sent after it was loaded. So
    // reload.
    const wait = page.getByText(/You can request another PIN in \d+ seconds/);
    await until(
      async () => {
        await page.reload();
        return wait.isVisible();
      },
      (visible) => visible,
    );
    await press(page, "Send a new PIN");
    expect(await page.getByRole("alert").textContent()).toMatch(
      /^You can request another PIN in \d+ seconds\.$/,
    );
  });

  test("a verified phone's page says how to remove or change it", async () => {
    const { page, user, secret } = await withBoth(portal);
    await logIn(page, user);
    await press(page, "Use my authenticator app");
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    expect(await page.getByText("To remove or change this phone").isVisible()).toBe(true);
    await follow(page, "remove all devices");
    expect(await heading(page)).toBe("Remove all devices?");
  });
});

test("back from the app to the phone within 30 seconds, the page asks for the passcode that was sent", async () => {
  const { user, number, page } = await withBoth(portal);
  await logIn(page, user);
  const passcode = await portal.passcodeTo(number);
  await page.getByText(/We sent a 7-digit passcode to/).waitFor();
  await press(page, "Use my authenticator app");
  await press(page, "Send a passcode to my phone");
  const notice = page.getByText(
    /^We sent a passcode to .* moments ago\. Enter it, or request another/,
  );
  expect(await notice.textContent()).toMatch(/in \d+ seconds\.$/);
  expect(await page.getByRole("alert").count()).toBe(0);
  await expectAccessible(page);
  await page.getByLabel("Passcode").fill(passcode);
  await press(page, "Verify Code");
  expect(await heading(page)).toBe("My Multi-Factor Devices");
});

test("once multi-factor authentication is on, the user is urged to save recovery codes, until there are some", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  expect(await page.getByRole("heading", { name: "Save recovery codes now" }).isVisible()).toBe(
    true,
  );
  await expectAccessible(page);
  await follow(page, "Generate Recovery Codes");
  await press(page, "Generate Codes");
  expect(await page.locator("#codes li").count()).toBe(10);
  await page.goto("/devices");
  expect(await page.getByText("Save recovery codes now").count()).toBe(0);
});

describe("a locked user", () => {
  async function locked() {
    const { user, number, page } = await withPhone(portal);
    const open = await portal.open();
    await logIn(open, user);
    await open.getByLabel("Passcode").fill(await portal.passcodeTo(number));
    await press(open, "Verify Code");
    await portal.advance(MINUTE_MS);
    await logIn(page, user);
    const passcode = await portal.passcodeTo(number);
    for (let n = 1; n <= 7; n++) {
      await page.getByLabel("Passcode").fill(wrongCode(passcode, n));
      await press(page, "Verify Code");
    }
    return { user, page, open };
  }

  test("is told how to reach Support: on the lock page, at the next login and in an open session", async () => {
    const { user, page, open } = await locked();
    expect(await heading(page)).toBe("Your account is locked");
    const link = (on: typeof page) => on.getByRole("link", { name: "help@panel.example" });
    expect(await link(page).getAttribute("href")).toBe("mailto:help@panel.example");
    await expectAccessible(page);

    await logIn(page, user);
    expect(await page.getByRole("alert").textContent()).toContain("Contact Support to unlock it");
    expect(await link(page).isVisible()).toBe(true);

    await open.reload();
    expect(await open.getByRole("alert").textContent()).toContain("Your account is locked");
    expect(await link(open).isVisible()).toBe(true);
    await expectAccessible(open);

    const refused = await portal.api.logIn(user);
    expect(refused.problem).toMatchObject({
      code: "account_locked",
      detail:
        "Your account is locked after too many wrong passcodes. Contact Support to unlock it: help@panel.example.",
      supportContact: "mailto:help@panel.example",
    });
  });
});
