import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { serve } from "@hono/node-server";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { limit } from "../support/limits.ts";
import type { Person } from "../support/people.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { used } from "../support/used.ts";

const run = promisify(execFile);

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** ms. How long a page may take on a busy machine. */
const PAGE_MS = limit(15_000);

/** ms. Long, because the first start may have to install a browser. */
const START_MS = limit(300_000);

type Place = {
  /** The name by which the browser knows this machine. */
  host?: string;
  environment?: (url: string) => Record<string, string>;
};

/** The whole service in this process, on a port, and a real browser. */
async function startPortal({ host = "127.0.0.1", environment = () => ({}) }: Place) {
  const executablePath = await ensureDebianPackage("chromium", "chromium", () => {});
  await ensureDebianPackage("zbarimg", "zbar-tools", () => {});
  await ensureDebianPackage("oathtool", "oathtool", () => {});
  let stack: Stack;
  const fetch = (request: Request) => stack.app.fetch(request);
  const server = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  stack = await startStack({ environment: environment(url) });
  const browser = await chromium.launch({ executablePath, args: FLAGS });

  return {
    ...stack,
    url,
    /** A new browser context that shares nothing with the others. */
    async open(options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ baseURL: url, ...options });
      context.setDefaultTimeout(PAGE_MS);
      return context.newPage();
    },
    /** The code of an independent implementation (oathtool) at the service's time. */
    async codeOf(secret: string): Promise<string> {
      const at = new Date(stack.clock.now()).toISOString().replace("T", " ").slice(0, 19);
      const args = ["--totp", "--base32", `--now=${at} UTC`, secret];
      return (await run("oathtool", args)).stdout.trim();
    },
    async stop() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
      await stack.stop();
    },
  };
}

export type Portal = Awaited<ReturnType<typeof startPortal>>;

/** A portal and a browser for one test file, with these settings added to the usual ones. */
export function usePortal(environment?: Record<string, string>): Portal {
  return used(() => startPortal({ environment: () => environment ?? {} }), START_MS);
}

/** As `usePortal`, on http://localhost, where browsers offer security keys and passkeys. */
export function useKeyPortal(): Portal {
  const environment = (url: string) => ({ WEBAUTHN_RP_ID: "localhost", WEBAUTHN_ORIGINS: url });
  return used(() => startPortal({ host: "localhost", environment }), START_MS);
}

/** Fills the login page and sends it. */
export async function logIn(page: Page, { username, password }: Person): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await press(page, "Log in");
}

/** Presses the button with this name and waits for the next page. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole("button", { name, exact: true }).first().click();
  await page.waitForLoadState();
}

/** Follows the link with this name. */
export async function follow(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole("link", { name, exact: true }).first().click();
  await page.waitForLoadState();
}

/** Opens the account's settings from the menu. */
export async function openAccount(page: Page): Promise<void> {
  await page.getByText("Account", { exact: true }).click();
  await follow(page, "Account Settings");
}

export const heading = (page: Page) => page.locator("h1").textContent();

/** Reads the QR code from a screenshot, as a camera does. Returns its URI. */
export async function readBarcode(page: Page): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), "barcode-"));
  try {
    const path = join(folder, "page.png");
    await page.screenshot({ path, fullPage: true });
    const { stdout } = await run("zbarimg", ["--quiet", "--raw", path]);
    return new URL(stdout.trim());
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The secret in the page's QR code. */
export async function secretOf(page: Page): Promise<string> {
  return (await readBarcode(page)).searchParams.get("secret") ?? "";
}

const axe = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Expects that axe-core finds no fault in the page, by WCAG 2.2 AA and axe's best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await axe);
  const violations = await page.evaluate(
    `axe.run().then(({ violations }) =>
      violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join(" ")))`,
  );
  expect(violations, page.url()).toEqual([]);
}
