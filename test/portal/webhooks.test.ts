import { afterEach, expect, test } from "vitest";
import type { EventType } from "../../store/events/event-types.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { Person } from "../support/people.ts";
import { type Receiver, startReceiver, verified } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import {
  expectAccessible,
  follow,
  heading,
  logIn,
  openAccount,
  press,
  usePortal,
} from "./browser.ts";

const portal = usePortal();

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

/** An administrator, in a browser that shows the account's settings. */
async function atSettings() {
  const admin = await portal.createUser({ role: "administrator" });
  const page = await portal.open();
  await logIn(page, admin);
  await openAccount(page);
  return { admin, page };
}

const happen = ({ id: userId, accountId }: Person, type: EventType, at: string) =>
  recordEvent(portal.deps.db, { key: newId(), at: new Date(at), accountId, userId, type });

test("a webhook is added, its deliveries are shown and sent again, and it is removed", async () => {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const { admin, page } = await atSettings();
  await follow(page, "Webhooks");
  await expectAccessible(page);
  await follow(page, "Add a webhook");
  await page.getByLabel("URL").fill(receiver.url);
  await page.getByLabel("Types of event").fill("Not A Type");
  await press(page, "Add the webhook");
  expect(await page.locator("#types-error").textContent()).toBe(
    "There is no such type of event: Not, A, Type.",
  );
  await page.getByLabel("Types of event").fill("account_locked, login_faild");
  await press(page, "Add the webhook");
  expect(await page.locator("#types-error").textContent()).toBe(
    "There is no such type of event: login_faild.",
  );
  expect(await page.locator("code", { hasText: "login_failed" }).count()).toBe(1);
  await expectAccessible(page);
  await page.getByLabel("Types of event").fill("account_locked, login_failed");
  await press(page, "Add the webhook");
  expect(await heading(page)).toBe("The webhook's secret");
  await expectAccessible(page);
  const secret = (await page.locator("#secret").textContent())?.trim() ?? "";
  receiver.answers(503);
  await happen(admin, "account_locked", "2025-01-01T00:00:00Z");
  await follow(page, "Done");
  const shown = async (text: string) => {
    await page.reload();
    return page.getByText(text).first().isVisible();
  };
  await until(() => shown("Retrying"), Boolean);
  expect(await page.getByText(/1 attempt, the last .*: 503/).isVisible()).toBe(true);
  // The page does not show the next time: it depends on the attempts since the last resend, which
  // are
  // not known here.
  expect(await page.getByText(/; the next /).count()).toBe(0);
  await expectAccessible(page);
  expect(await page.content()).not.toContain(secret);
  receiver.answers(204);
  await page.getByRole("button", { name: /Send again: event \d+/ }).click();
  expect(await page.getByRole("status").first().textContent()).toContain("Sending the event");
  await until(() => shown("Delivered"), Boolean);
  const last = receiver.received.at(-1);
  if (!last) throw new Error("Nothing came");
  expect(verified(last, secret, portal.clock.now())).toMatchObject({ type: "account_locked" });
  await follow(page, "Remove the webhook");
  expect(await heading(page)).toBe("Remove this webhook?");
  await expectAccessible(page);
  await press(page, "Remove the webhook");
  expect(await page.getByRole("status").first().textContent()).toContain("was removed");
  expect(await page.getByText(receiver.url).count()).toBe(0);
});

test("administrators read their account's activity, filter it and save it as a file", async () => {
  const { admin, page } = await atSettings();
  const member = await portal.createUser({ accountId: admin.accountId });
  await happen(member, "device_verified", "2025-01-02T12:00:00Z");
  await happen(member, "login_failed", "2025-01-03T12:00:00Z");
  await follow(page, "Activity of the account");
  await expectAccessible(page);
  await page.getByLabel("Show").selectOption({ label: "Devices and methods" });
  await page.getByLabel("About the user").fill(member.username);
  await page.getByLabel("From").fill("2025-01-01");
  await page.getByLabel("To").fill("2025-01-02");
  await press(page, "Show");
  expect(await page.getByText("Device verified").count()).toBe(1);
  expect(await page.getByText("Login failed").count()).toBe(0);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("activity.ndjson");
  const stream = await download.createReadStream();
  const text = Buffer.concat(await stream.toArray()).toString();
  expect(text.trim().split("\n")).toHaveLength(1);
  expect(JSON.parse(text)).toMatchObject({ type: "device_verified", userId: member.id });

  const stranger = await portal.createUser();
  await page.getByLabel("About the user").fill(stranger.username);
  await press(page, "Show");
  expect(await page.locator("#user-error").textContent()).toContain("No user found");
  expect(await page.locator(".rows > li").count()).toBe(0);
});

test("a user's own activity can be filtered by kind and day", async () => {
  const user = await portal.createUser();
  const page = await portal.open();
  await logIn(page, user);
  await happen(user, "device_verified", "2025-01-02T12:00:00Z");
  await follow(page, "Activity");
  expect(await page.getByText("Login succeeded").count()).toBe(1);
  await page.getByLabel("To").fill("2025-12-31");
  await press(page, "Show");
  expect(await page.getByText("Login succeeded").count()).toBe(0);
  expect(await page.getByText("Device verified").count()).toBe(1);
  await expectAccessible(page);
  await page.goto("/activity?from=soon");
  expect(await page.locator("#from-error").textContent()).toContain("Give a day");
});

test("members can open none of these pages", async () => {
  const user = await portal.createUser();
  const page = await portal.open();
  await logIn(page, user);
  for (const path of ["/account/webhooks", "/account/activity", "/account/activity/export"]) {
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(403);
  }
});
