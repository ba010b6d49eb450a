// A removal that takes longer than its form can wait, in a browser with scripts and in one without.
import { expect, test } from "vitest";
import { expectAccessible, heading, usePortal } from "./browser.ts";
import { logInByApp, withApp } from "./people.ts";

const portal = usePortal();

test("the page of a running removal leads on by itself when it is over, with and without a script", async () => {
  const people = [await withApp(portal), await withApp(portal)];
  const pages = [await portal.open(), await portal.open({ javaScriptEnabled: false })];
  for (const [n, page] of pages.entries()) {
    const { user, secret } = people[n] as (typeof people)[number];
    await logInByApp(portal, page, user, secret);
    await page.goto("/devices/remove-all");
  }
  await portal.stopWorker();
  const button = { name: "Remove all devices", exact: true };
  await Promise.all(pages.map((page) => page.getByRole("button", button).click()));
  for (const page of pages) await page.getByText("This continues in the background").waitFor();
  await expectAccessible(pages[0] as (typeof pages)[number]);
  await portal.restartWorker();
  for (const page of pages) {
    await page.waitForURL("**/devices");
    expect(await heading(page)).toBe("My Multi-Factor Devices");
    expect(await page.locator(".notice.good").textContent()).toContain("The removal is finished.");
  }
});
