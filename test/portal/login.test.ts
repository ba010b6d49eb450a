import { describe, expect, test } from "vitest";
import { passReport } from "../../providers/sms/reports.ts";
import type { DeliveryReport } from "../../providers/sms/sms.ts";
import { keys } from "../../store/redis/keys.ts";
import { MINUTE_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { wrongCode } from "../support/scenarios.ts";
import { expectAccessible, follow, heading, logIn, press, usePortal } from "./browser.ts";
import { logInByApp, withApp, withBoth, withPhone } from "./people.ts";

const portal = usePortal();

/** Reports on a login's newest message, as the provider does. */
async function report(address: string, content: Omit<DeliveryReport, "reference">) {
  const id = new URL(address).pathname.split("/").at(-1) ?? "";
  const { redis, flows } = portal.deps;
  const reference = await redis.get(keys.newestDelivery(workflowIds.loginChallenge(id)));
  if (!reference) throw new Error("Nothing was sent");
  await passReport({ redis, report: flows.reportDelivery }, { reference, ...content });
}

describe("the login page", () => {
  test("shows at the field what is wrong, keeps the user name and moves the focus there", async () => {
    const user = await portal.createUser();
    const page = await portal.open();
    await page.goto("/");
    expect(await heading(page)).toBe("Log in");
    await expectAccessible(page);
    await logIn(page, { ...user, password: "wrong" });
    expect(await page.locator("#password-error").textContent()).toContain("Check both");
    expect(await page.getByLabel("User name").inputValue()).toBe(user.username);
    expect(await page.getByLabel("Password").inputValue()).toBe("");
    expect(await page.evaluate("document.activeElement.id")).toBe("password");
    expect(await page.title()).toMatch(/^Error: /);
    await expectAccessible(page);
  });

  test("leads back to the page that asked for it, and to no other site", async () => {
    const user = await portal.createUser();
    const page = await portal.open();
    await page.goto("/activity");
    await page.getByLabel("User name").fill(user.username);
    await page.getByLabel("Password").fill(user.password);
    await press(page, "Log in");
    expect(new URL(page.url()).pathname).toBe("/activity");
    await expectAccessible(page);
    await page.getByText("Login succeeded").waitFor();
    for (const evil of ["https://evil.example/", "//evil.example", "/\\evil.example", "/%09/x"]) {
      await page.goto(`/login?to=${encodeURIComponent(evil)}`);
      expect(page.url()).toBe(`${portal.url}/devices`);
    }
  });

  test("after too many wrong passwords says how long to wait", async () => {
    const user = await portal.createUser();
    const page = await portal.open();
    for (let n = 0; n < 11; n++) await logIn(page, { ...user, password: "wrong" });
    expect(await page.getByRole("alert").textContent()).toMatch(/Try again in \d+ minutes/);
  });
});

describe("the passcode page", () => {
  test("sends a new passcode after half a minute, which voids the first", async () => {
    const { user, number, page } = await withPhone(portal);
    await logIn(page, user);
    const first = await portal.passcodeTo(number);
    await page.getByText(/We sent a 7-digit passcode to/).waitFor();
    const button = page.getByRole("button", { name: /Send a new passcode/ });
    expect(await button.isDisabled()).toBe(true);
    expect(await button.textContent()).toMatch(/\(in \d+ s\)/);
    await portal.advance(MINUTE_MS);
    await page.reload();
    await press(page, "Send a new passcode");
    const second = await portal.passcodeTo(number);
    await page.getByText(/We sent a 7-digit passcode to/).waitFor();
    await page.getByLabel("Passcode").fill(first);
    await press(page, "Verify Code");
    expect(await page.getByRole("alert").textContent()).toContain("A newer passcode was sent");
    await page.getByLabel("Passcode").fill(second);
    await press(page, "Verify Code");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });

  test("offers the other method for this login", async () => {
    const { user, secret, page } = await withBoth(portal);
    await logIn(page, user);
    await page.getByText(/We sent a 7-digit passcode to/).waitFor();
    await press(page, "Use my authenticator app");
    expect(await page.getByText("Open your authenticator app").isVisible()).toBe(true);
    await expectAccessible(page);
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });

  test("accepts a recovery code, and the next page says how many are left", async () => {
    const { user, secret, page } = await withApp(portal);
    await logInByApp(portal, page, user, secret);
    await follow(page, "Generate Recovery Codes");
    await expectAccessible(page);
    await page.getByLabel("Quantity").fill("2");
    await press(page, "Generate Codes");
    await expectAccessible(page);
    const codes = await page.locator("#codes li").allTextContents();
    expect(codes).toHaveLength(2);
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Save your codes" }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe("recovery-codes.txt");
    const file = await (await saved.createReadStream()).toArray();
    expect(Buffer.concat(file).toString()).toContain(codes.join("\n"));

    await logIn(await portal.open(), user);
    const other = await portal.open();
    await logIn(other, user);
    await follow(other, "Use a recovery code");
    await expectAccessible(other);
    await other.getByLabel("Recovery code").fill("aaaa-bbbb-cccc-dddd");
    await press(other, "Verify Code");
    expect(await heading(other)).toBe("Enter a recovery code");
    await other
      .getByLabel("Recovery code")
      .fill(codes[0]?.toLowerCase().replaceAll("-", " ") ?? "");
    await press(other, "Verify Code");
    expect(await other.getByRole("status").textContent()).toContain("You have 1 left");
  });

  test("says that a delivery failed, and the login goes on another way", async () => {
    const { user, secret, page } = await withBoth(portal);
    portal.failSms("undeliverable");
    await logIn(page, user);
    await page.getByText("could not be delivered").waitFor();
    await expectAccessible(page);
    portal.failSms();
    await press(page, "Use my authenticator app");
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });

  test("shows what the provider reports: that it arrived, or what to do if it did not", async () => {
    const { user, number, page } = await withPhone(portal);
    await logIn(page, user);
    await portal.passcodeTo(number);
    await page.getByText(/We sent a 7-digit passcode to/).waitFor();
    await report(page.url(), { outcome: "delivered" });
    await page.getByText(/A 7-digit passcode was delivered to/).waitFor();
    await expectAccessible(page);

    await portal.advance(MINUTE_MS);
    await page.reload();
    await press(page, "Send a new passcode");
    await portal.passcodeTo(number);
    await page.getByText(/We sent a 7-digit passcode to/).waitFor();
    await report(page.url(), { outcome: "failed", reason: "unreachable_number" });
    await page.getByText(/could not be delivered: the phone cannot be reached/).waitFor();
    await page.getByRole("button", { name: "Send a new passcode" }).waitFor();
    await expectAccessible(page);
  });

  test("the seventh wrong passcode locks, also for the next login; others learn nothing", async () => {
    const { user, secret, page } = await withApp(portal);
    const code = await portal.codeOf(secret);
    await logIn(page, user);
    for (let n = 1; n <= 6; n++) {
      await page.getByLabel("Passcode").fill(wrongCode(code, n * 1000));
      await press(page, "Verify Code");
    }
    expect(await page.getByRole("alert").textContent()).toContain("One try is left");
    await page.getByLabel("Passcode").fill(wrongCode(code, 7000));
    await press(page, "Verify Code");
    expect(await heading(page)).toBe("Your account is locked");
    await expectAccessible(page);
    await logIn(page, user);
    expect(await page.getByRole("alert").textContent()).toContain("Contact Support");
    await logIn(page, { ...user, password: "wrong" });
    expect(await page.getByRole("alert").textContent()).toContain("Check both");
  });

  test("reload, Back and a second tab on the way continue the same login", async () => {
    const { user, secret, page } = await withApp(portal);
    await logIn(page, user);
    await page.reload();
    const address = page.url();
    await page.goBack();
    await page.goForward();
    const tab = await page.context().newPage();
    await tab.goto(address);
    expect(await heading(tab)).toBe("Enter your passcode");
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
    await tab.reload();
    expect(await heading(tab)).toBe("My Multi-Factor Devices");
    await page.goBack();
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });

  test("a login that has ended says so and leads to a new one", async () => {
    const { user, secret, page } = await withApp(portal);
    await logIn(page, user);
    await portal.advance(11 * MINUTE_MS);
    await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
    await press(page, "Verify Code");
    await page
      .getByText(/Log in again/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await page.goto(`/login/${"0".repeat(56)}`);
    expect(await heading(page)).toBe("This login is no longer available");
  });
});
