import { describe, expect, test } from "vitest";
import { logInByPassword } from "../support/scenarios.ts";
import { heading, logIn, press, secretOf, usePortal } from "./browser.ts";
import { withPhone } from "./people.ts";

const portal = usePortal();

const FORM = "application/x-www-form-urlencoded";

/** Sends a page's form as a browser does, with these headers added. */
function send(path: string, fields: Record<string, string>, headers: Record<string, string>) {
  return portal.app.request(new URL(path, "https://mfa.example").href, {
    method: "POST",
    headers: { "content-type": FORM, ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

describe("attack: a foreign page sends a form in the user's name", () => {
  const refused: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    { "sec-fetch-site": "same-site", origin: "https://other.mfa.example" },
    { origin: "https://evil.example", host: "mfa.example" },
    { origin: "null" },
    {},
  ];
  test.each(refused)("is refused with %o, and nothing is done", async (headers) => {
    const user = await portal.createUser();
    const { token } = await logInByPassword(portal, user);
    const cookie = `__Host-session=${token}`;
    const answer = await send("/logout", {}, { ...headers, cookie });
    expect(answer.status).toBe(403);
    expect((await portal.api.session(token)).status).toBe(200);
  });

  const ours: Record<string, string>[] = [
    { "sec-fetch-site": "same-origin" },
    { origin: "https://mfa.example" },
  ];
  test.each(ours)("our own page with %o is not refused", async (headers) => {
    const { token } = await logInByPassword(portal, await portal.createUser());
    const cookie = `__Host-session=${token}`;
    const answer = await send("/logout", {}, { ...headers, cookie });
    expect(answer.status).toBe(303);
    expect((await portal.api.session(token)).status).toBe(401);
  });

  test("is refused in a real browser, too", async () => {
    const page = await portal.open();
    await logIn(page, await portal.createUser());
    const evil = await portal.open();
    await evil.route("https://evil.example/**", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<form method="post" action="${portal.url}/logout"><button>Win</button></form>`,
      }),
    );
    await evil.context().addCookies(await page.context().cookies());
    await evil.goto("https://evil.example/");
    await press(evil, "Win");
    expect(await heading(evil)).toBe("You don't have access");
    await page.reload();
    expect(await heading(page)).toBe("My Multi-Factor Devices");
  });
});

describe("the session's cookie", () => {
  test("is __Host-, HttpOnly, Secure and SameSite, and no script can read it", async () => {
    const { username, password } = await portal.createUser();
    const answer = await send(
      "/login",
      { username, password },
      { "sec-fetch-site": "same-origin" },
    );
    expect(answer.status).toBe(303);
    const [cookie, ...more] = answer.headers.getSetCookie();
    expect(more).toEqual([]);
    expect(cookie).toMatch(/^__Host-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  test("in development on this machine's plain HTTP is one that every browser keeps", async () => {
    const page = await portal.open();
    await logIn(page, await portal.createUser());
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax" });
    expect(await page.evaluate("document.cookie")).toBe("");
  });
});

test("every page is private, has a strict policy and allows no inline script", async () => {
  const { token } = await logInByPassword(portal, await portal.createUser());
  const cookie = `__Host-session=${token}`;
  const paths = ["/login", "/devices", "/devices/sms/new", "/devices/otp/new", "/sessions"];
  for (const path of [...paths, "/activity", "/devices/nothing", "/login/none"]) {
    const { headers } = await portal.app.request(`https://mfa.example${path}`, {
      headers: { cookie },
    });
    const policy = headers.get("content-security-policy") ?? "";
    expect(headers.get("cache-control"), path).toBe("no-store");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
});

test("a form sent twice at once acts once: a passcode logs in, a name makes one device", async () => {
  const { user, number, page } = await withPhone(portal);
  await logIn(page, user);
  await page.getByText(/We sent a 7-digit passcode to/).waitFor();
  await page.getByLabel("Passcode").fill(await portal.passcodeTo(number));
  await page.getByRole("button", { name: "Verify Code" }).dblclick();
  await page.getByRole("heading", { name: "My Multi-Factor Devices" }).waitFor();

  await page.goto("/devices/otp/new");
  await page.getByLabel("Device nickname").fill("Twice");
  await page.getByRole("button", { name: "Add Device" }).dblclick();
  await page.getByRole("heading", { name: "Verify Code" }).waitFor();
  await page.goto("/devices");
  expect(await page.getByText("Twice").count()).toBe(1);
});

test("typed text is shown as text, and a body of another type is refused", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.goto("/devices/otp/new");
  await page.getByLabel("Device nickname").fill('<img src=x onerror="alert(1)">');
  await press(page, "Add Device");
  await page.goto("/devices");
  expect(await page.getByText('<img src=x onerror="alert(1)">').isVisible()).toBe(true);
  const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin" };
  const answer = await portal.app.request("/login", { method: "POST", headers, body: "{}" });
  expect(answer.status).toBe(415);
  expect(answer.headers.get("content-type")).toContain("text/html");
});

test("everything works without JavaScript", async () => {
  const user = await portal.createUser();
  const page = await portal.open({ javaScriptEnabled: false });
  await logIn(page, user);
  await page.getByLabel("Add an OTP device").click();
  await page.getByLabel("Device nickname").fill("App");
  await press(page, "Add Device");
  const secret = await secretOf(page);
  expect(await page.getByRole("button", { name: "Copy the secret" }).isVisible()).toBe(false);
  await page.getByLabel("Code", { exact: true }).fill(await portal.codeOf(secret));
  await press(page, "Verify Mobile Passcode");
  expect(await page.getByRole("status").textContent()).toContain("Device verified");
  await logIn(page, user);
  await portal.advance(30_000);
  await page.getByLabel("Passcode").fill(await portal.codeOf(secret));
  await press(page, "Verify Code");
  await page.getByRole("link", { name: "Generate Recovery Codes" }).click();
  await press(page, "Generate Codes");
  expect(await page.locator("#codes li").count()).toBe(10);
  expect(await page.getByRole("button", { name: "Copy", exact: true }).isVisible()).toBe(false);
  await page.goto("/devices");
  await press(page, "Log out");
  expect(await heading(page)).toBe("Log in");
});
