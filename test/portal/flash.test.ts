import { expect, test } from "vitest";
import { expectAccessible, follow, heading, logIn, press, usePortal } from "./browser.ts";
import { logInByApp, withApp } from "./people.ts";

const portal = usePortal();

test("attack: a link that claims a success shows nothing, and causes no error", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser({ role: "administrator" }));
  const paths = ["/devices", "/sessions", "/account", "/account/users", "/account/webhooks"];
  for (const path of paths)
    for (const claim of ["all_removed", "__proto__", "constructor", ""]) {
      const answer = await page.goto(`${path}?done=${claim}`);
      expect(answer?.status(), path).toBe(200);
      expect(await page.locator(".notice.good").count(), path).toBe(0);
    }
});

test("attack: a made-up cookie shows nothing", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  for (const value of ["x", "v1.a.b.c", JSON.stringify({ at: "/devices", said: "Won" })]) {
    const cookie = { name: "flash", value: encodeURIComponent(value), url: portal.url };
    await page.context().addCookies([cookie]);
    const answer = await page.goto("/devices");
    expect(answer?.status()).toBe(200);
    expect(await page.locator(".notice").count()).toBe(0);
  }
});

test("a success message is shown once: a reload does not show it again", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  await follow(page, "Edit the address for notifications");
  await page.getByLabel("Email address").fill("alice@example.com");
  await press(page, "Save");
  expect(await page.locator(".notice.good").count()).toBe(1);
  expect(new URL(page.url()).search).toBe("");
  await page.reload();
  expect(await page.locator(".notice.good").count()).toBe(0);
});

test("Back after a form's error leads to the form's page, and sends nothing again", async () => {
  const page = await portal.open();
  await logIn(page, await portal.createUser());
  await page.goto("/devices/otp/new");
  await page.getByLabel("Device nickname").fill("x".repeat(65));
  await page.locator("main button").click();
  await page.locator("#name-error").waitFor();
  expect(new URL(page.url()).pathname).toBe("/devices/otp/new");
  expect(await page.title()).toMatch(/^Error: /);
  await expectAccessible(page);
  await page.goto("/devices");
  let sent = 0;
  page.on("request", (request) => {
    if (request.method() === "POST") sent++;
  });
  await page.goBack();
  await page.locator("h1").waitFor();
  expect(new URL(page.url()).pathname).toBe("/devices/otp/new");
  await page.goBack();
  expect(await heading(page)).toBeTruthy();
  expect(sent).toBe(0);
});

test("recovery codes are shown once: a reload leads to the devices", async () => {
  const { user, secret, page } = await withApp(portal);
  await logInByApp(portal, page, user, secret);
  await page.goto("/devices/recovery-codes/new");
  await press(page, "Generate Codes");
  expect(await heading(page)).toBe("Your recovery codes");
  expect(await page.locator("#codes li").count()).toBe(10);
  await page.reload();
  expect(await heading(page)).toBe("My Multi-Factor Devices");
  expect(await page.locator("#codes").count()).toBe(0);
});
