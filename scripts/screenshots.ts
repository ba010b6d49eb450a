// Makes the pictures of docs/screenshots: starts the service with a data folder of its own and goes
// through its pages as a person would. Run it with: node --import tsx scripts/screenshots.ts
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateSync } from "otplib";
import { type Browser, chromium, type Page } from "playwright-core";
import { ensureDebianPackage } from "./debian.ts";
import { checkoutFolder } from "./folders.ts";
import { freePort } from "./ports.ts";
import { launch, stopAll, waitUntilReady } from "./processes.ts";
import { runProgram } from "./programs.ts";
import { reportSinceNow } from "./progress.ts";

const START_MS = 300_000;
const STEP_MS = 30_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"];
const WRONG_UNTIL_LOCKED = 7;
const DESKTOP = { width: 820, height: 520 };
const PHONE = { width: 390, height: 700 };

const pictures = join(checkoutFolder, "docs/screenshots");
const folder = mkdtempSync(join(tmpdir(), "second-step-pictures-"));
const password = randomBytes(9).toString("base64url");
const url = `http://localhost:${await freePort()}`;
const report = reportSinceNow();

try {
  mkdirSync(pictures, { recursive: true });
  await startService();
  await ensureDebianPackage("pngquant", "pngquant", report);
  const executablePath = await ensureDebianPackage("chromium", "chromium", report);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  await ofUser(browser);
  await ofOthers(browser);
  await ofEnds(browser);
  await browser.close();
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}

async function startService(): Promise<void> {
  report("Starting the service");
  const { port } = new URL(url);
  const child = launch({
    name: "service",
    program: process.execPath,
    args: ["--import", "tsx", "scripts/start.ts"],
    cwd: checkoutFolder,
    env: { ...process.env, DATA_DIR: folder, PORT: port, DEMO_PASSWORD: password },
    logFile: join(folder, "service.log"),
  });
  const ready = async () => {
    const answer = await fetch(`${url}/health/dependencies`);
    if (!answer.ok) throw new Error(`/health/dependencies answers ${answer.status}`);
  };
  await waitUntilReady(child, ready, START_MS);
}

/** The pages of a user, from the first login on. */
async function ofUser(browser: Browser): Promise<void> {
  const page = await open(browser);
  await page.goto("/login");
  await picture(page, "login");
  await logIn(page, "alice");
  await picture(page, "devices-none");

  await page.getByLabel("Add an SMS device").click();
  await page.getByLabel("Phone number").fill("512-555-0100");
  await picture(page, "sms-step-1");
  await press(page, "Add SMS Device");
  const pin = await newest();
  await page.getByText("We sent a PIN").waitFor();
  await picture(page, "sms-step-2");
  await page.getByLabel("PIN", { exact: true }).fill(pin);
  await press(page, "Verify SMS Device");
  await picture(page, "login-again");

  await logIn(page, "alice");
  const passcode = await newest(pin);
  await page.getByText("We sent a 7-digit passcode").waitFor();
  await picture(page, "passcode");
  await page.getByLabel("Passcode").fill(wrong(passcode));
  await press(page, "Verify Code");
  await picture(page, "passcode-wrong");
  await page.getByLabel("Passcode").fill(passcode);
  await press(page, "Verify Code");

  await page.getByLabel("Add an OTP device").click();
  await page.getByLabel("Device nickname").fill("My phone");
  await picture(page, "otp-step-1");
  await press(page, "Add Device");
  await picture(page, "otp-step-2");
  const secret = (await page.locator("#secret").textContent())?.replaceAll(/\s/g, "") ?? "";
  await page.getByLabel("Code", { exact: true }).fill(generateSync({ secret }));
  await press(page, "Verify Mobile Passcode");

  await logIn(page, "alice");
  await picture(page, "passcode-otp");
  const passcodePage = page.url();
  await page.getByRole("link", { name: "Use a recovery code" }).click();
  await picture(page, "passcode-recovery");
  await page.goto(passcodePage);
  await page.getByLabel("Passcode").fill(nextCode(secret));
  await press(page, "Verify Code");
  await picture(page, "devices");
  await onAPhoneInTheDark(browser, page);
  for (const [path, name] of [
    ["/devices/default", "default-method"],
    ["/devices/remove-all", "remove-all"],
    ["/devices/email", "email"],
    ["/sessions", "sessions"],
    ["/sessions/password", "password"],
    ["/activity", "activity"],
  ] as const) {
    await page.goto(path);
    await picture(page, name);
  }
  await page.goto("/devices");
  await page.getByLabel("Manage My phone").click();
  await picture(page, "manage");
  await page.goto("/devices/recovery-codes/new");
  await press(page, "Generate Codes");
  await picture(page, "recovery-codes");
}

/** The pages of administrators and of Support. */
async function ofOthers(browser: Browser): Promise<void> {
  const member = await open(browser);
  await logIn(member, "bob");
  await member.getByLabel("Add an SMS device").click();
  await member.getByLabel("Phone number").fill("512-555-0101");
  await press(member, "Add SMS Device");

  const support = await open(browser);
  await logIn(support, "support");
  await support.goto("/devices/otp/new");
  await support.locator("#name").fill("My phone");
  await support.locator("form[action='/devices/otp'] button").click();
  const secret = (await support.locator("#secret").textContent())?.replaceAll(/\s/g, "") ?? "";
  await support.locator("#code").fill(generateSync({ secret }));
  await support.locator("form[action$='/verify'] button").click();
  await logIn(support, "support");
  await support.getByLabel("Passcode").fill(nextCode(secret));
  await press(support, "Verify Code");
  await support.goto("/support?query=b");
  await picture(support, "support-search");
  await support.getByRole("link", { name: "bob" }).click();
  await picture(support, "support-user");

  const admin = await open(browser);
  await logIn(admin, "admin");
  await admin.goto("/account/users");
  await picture(admin, "users");
  await admin.getByLabel("Add a user").click();
  await picture(admin, "user-new");
  await admin.goto("/account/activity");
  await picture(admin, "account-activity");
  await admin.goto("/account/webhooks");
  await picture(admin, "webhooks");
  await admin.goto("/account/requirement");
  await admin.getByLabel("Required for everyone", { exact: true }).check();
  await admin.getByLabel("Grace period in days").fill("14");
  await press(admin, "Save Setting");
  await picture(admin, "account");
  await admin.goto("/account/requirement");
  await admin.getByLabel("Grace period in days").fill("0");
  await press(admin, "Save Setting");
  await press(admin, "Require it now");
  await logIn(member, "bob");
  await picture(member, "set-up");
  await withKey(member);
}

/** A key's set-up at login, the login with it, and what it leaves on the user's list. */
async function withKey(page: Page): Promise<void> {
  await plugInKey(page);
  await page.goto("/devices/webauthn/new");
  await page.getByLabel("Device nickname").fill("My laptop");
  await picture(page, "key-step-1");
  await press(page, "Continue");
  await picture(page, "key-step-2");
  const use = page.getByRole("button", { name: "Use your security key or passkey" });
  await use.click();
  await page.getByText("Log in again to start using it").waitFor();
  await logIn(page, "bob");
  await picture(page, "key-login");
  await use.click();
  await page.getByText("My laptop").waitFor();
  await picture(page, "devices-key");
}

/**
 * Gives the browser a virtual authenticator that keeps passkeys and answers at once, and takes its
 * autofill away: otherwise the login page would be answered before its picture.
 */
async function plugInKey(page: Page): Promise<void> {
  const none = "PublicKeyCredential.isConditionalMediationAvailable = async () => false";
  await page.addInitScript(none);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** Dead ends: a page that does not exist, and the lock. */
async function ofEnds(browser: Browser): Promise<void> {
  const page = await open(browser);
  await logIn(page, "alice");
  await page.goto("/login/nothing");
  await picture(page, "refusal");
  await logIn(page, "alice");
  for (let wrong = 0; wrong < WRONG_UNTIL_LOCKED; wrong++) {
    await page.getByLabel("Passcode").fill(String(1_000_000 + wrong));
    await press(page, "Verify Code");
  }
  await picture(page, "locked");
}

async function onAPhoneInTheDark(browser: Browser, user: Page): Promise<void> {
  const storageState = await user.context().storageState();
  const page = await open(browser, { storageState, viewport: PHONE, colorScheme: "dark" });
  await page.goto("/devices");
  await picture(page, "devices-phone-dark");
}

async function open(browser: Browser, options = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: url, viewport: DESKTOP, ...options });
  return context.newPage();
}

async function picture(page: Page, name: string): Promise<void> {
  report(name);
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true, caret: "hide" });
  await runProgram("pngquant", ["--force", "--skip-if-larger", "--output", path, "48", path]);
}

async function logIn(page: Page, username: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await press(page, "Log in");
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).first().click();
  await page.waitForLoadState();
}

/** The newest code on the development phone, once it is not the one before. */
async function newest(before?: string): Promise<string> {
  for (;;) {
    const messages = (await (await fetch(`${url}/dev/outbox`)).json()) as { body: string }[];
    const code = messages[0]?.body.split(" ")[0];
    if (code && code !== before) return code;
    await sleep(200);
  }
}

/** The app's next code: the one before verified the app, and each code works once. */
function nextCode(secret: string): string {
  return generateSync({ secret, epoch: Math.floor((Date.now() + STEP_MS) / 1000) });
}

function wrong(code: string): string {
  return code.replace(/./g, (digit) => String((Number(digit) + 1) % 10));
}
