import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { users } from "../../store/postgres/schema.ts";
import { setRequirement } from "../../store/postgres/users.ts";
import { DAY_MS } from "../../units.ts";
import { loggedIn, logInByApp, registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  unverifiedPhone,
} from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack();

async function withBoth() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  await verifiedApp(stack, token, false);
  return { user, e164, web: webClient(stack, token) };
}

const sent = (fields: Record<string, string>) => ({ once: newId(), ...fields });

test("saving the default method without a change is not called a change", async () => {
  const { web } = await withBoth();
  const save = (method: string) => web.send("/devices/default", sent({ method }));
  expect((await save("sms")).notices.join()).toContain("stays as it was");
  expect((await save("otp")).notices.join()).toContain("was changed");
});

test("saving the current method as the first default is no change, and is not recorded as one", async () => {
  const { user, web } = await withBoth();
  const { db } = stack.deps;
  await db.update(users).set({ defaultMethod: null }).where(eq(users.id, user.id));
  const changes = async () =>
    (await listEvents(db, { userId: user.id, types: ["default_method_changed"], limit: 9 })).events;
  const save = async (method: string) =>
    (await web.send("/devices/default", sent({ method }))).notices.join();
  expect(await save("otp")).toContain("stays as it was");
  expect(await changes()).toHaveLength(0);
  expect(await save("sms")).toContain("was changed");
  expect(await changes()).toHaveLength(1);
});

test("removing all devices in a grace period keeps the user logged in, as the page says, with the date", async () => {
  const { user: bob, token } = await loggedIn(stack, "administrator");
  const member = await stack.createUser({ accountId: bob.accountId });
  const { e164 } = await enrollPhone(stack, member);
  const require = (enforceAfter?: { days: number }) =>
    stack.api.call("PUT", "/v1/account/multi-factor-policy", {
      token,
      body: { requirement: "required", enforceAfter },
    });
  const from = new Date(stack.clock.now() + 3 * DAY_MS).toISOString();
  await require({ days: 3 });
  const web = webClient(stack, (await logInBySms(stack, member, e164)).token);
  const { html } = await web.open("/devices/remove-all");
  expect(html).toContain("Your account will require it from");
  expect(html).toContain(`datetime="${from}"`);
  expect(html).not.toContain("logged out");
  const page = await web.send("/devices/remove-all", sent({}));
  expect(page.at).toBe("/devices");
  expect(page.notices.join()).toContain("Multi-factor authentication is off");
});

test("where it is required now, removing the last device logs out, as the page says", async () => {
  const { user, id, secret } = await userWithApp(stack);
  const at = new Date(stack.clock.now());
  const event = { key: newId(), at, accountId: user.accountId };
  const own = { userId: user.id, requirement: "required" } as const;
  await setRequirement(stack.deps.db, own, { ...event, type: "user_requirement_changed" });
  const web = webClient(stack, (await logInByApp(stack, user, secret)).token);
  const path = `/devices/manage/${id}/remove`;
  expect((await web.open(path)).html).toContain(
    "Your administrator requires it, so you will be logged out and must set it up again.",
  );
  expect((await web.send(path, sent({}))).at).toMatch(/^\/login\?/);
});

test("a user who has a phone is told so before they type another number", async () => {
  const { web } = await withBoth();
  const page = await web.open("/devices/sms/new");
  expect(page.at).toBe("/devices");
  expect(page.notices.join()).toContain("To change it, remove all devices first");
});

test("the passcode page shows one time only: until when this login's passcode is accepted", async () => {
  const { user } = await withBoth();
  const challenge = await startChallenge(stack, user);
  const { html } = await webClient(stack).open(`/login/${challenge.id}`);
  expect(html).toContain(`datetime="${challenge.expiresAt}"`);
  expect(html).not.toMatch(/\d+ (minutes|seconds) to enter|expires in/);
});

test("an emptied address is called removed", async () => {
  const web = webClient(stack, (await loggedIn(stack, "member")).token);
  await web.send("/devices/email", sent({ email: "me@example.com" }));
  const page = await web.send("/devices/email", sent({ email: "" }));
  expect(page.notices.join()).toContain("was removed. You get no notifications.");
});

test("a login with a field that is too long gets our own message", async () => {
  const fields = sent({ username: "x".repeat(5000), password: "secret" });
  const web = webClient(stack);
  await web.open("/login");
  const page = await web.send("/login", fields);
  expect(page.html).toContain("A user name can have at most 256 characters.");
});

test("a login that no longer exists leads to a new one", async () => {
  const { html } = await webClient(stack).open(`/login/${"0".repeat(56)}`);
  expect(html).toMatch(/<a class="button" href="\/login">\s*Log in/);
});

test("in a grace period the set-up page says from when, not that it is required", async () => {
  const { user: bob, token } = await loggedIn(stack, "administrator");
  const body = { requirement: "required", enforceAfter: { days: 3 } };
  await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
  const member = await stack.createUser({ accountId: bob.accountId });
  const { token: theirs } = await logInByPassword(stack, member);
  const from = new Date(stack.clock.now() + 3 * DAY_MS).toISOString();
  const { html } = await webClient(stack, theirs).open("/set-up");
  expect(html).toContain(`datetime="${from}"`);
  expect(html).toContain("will require a second step at login");
  expect(html).not.toContain("requires a second step");

  const support = webClient(stack, (await loggedIn(stack, "support")).token);
  const seen = await support.open(`/support/users/${member.id}`);
  expect(seen.html.replace(/<[^>]*>|\s+/g, " ")).toMatch(/not enabled\. It is required +from/);
  expect(seen.html).toContain(`datetime="${from}"`);
});

test("Support sees whether it is required, and is offered an unlock only for a locked user", async () => {
  const user = await stack.createUser();
  const support = webClient(stack, (await loggedIn(stack, "support")).token);
  const read = async () => (await support.open(`/support/users/${user.id}`)).html;
  expect(await read()).toContain("not enabled. It is not required.");
  expect(await read()).not.toContain("Unlock");
  const at = new Date(stack.clock.now());
  const event = { key: newId(), at, accountId: user.accountId };
  const own = { userId: user.id, requirement: "required" } as const;
  await setRequirement(stack.deps.db, own, { ...event, type: "user_requirement_changed" });
  expect(await read()).toContain("not enabled. It is required.");
});

test("all errors of a new user are shown at once", async () => {
  const web = webClient(stack, (await loggedIn(stack, "administrator")).token);
  const fields = sent({ username: "a name", email: "no address", password: "long enough 1" });
  const { html } = await web.send("/account/users", fields);
  for (const name of ["username", "email"]) expect(html).toContain(`id="${name}-error"`);
});

const words = (html: string) => html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

/** Changes the policy of the administrator's account. */
async function setPolicy(token: string, body: object) {
  const path = "/v1/account/multi-factor-policy";
  expect((await stack.api.call("PUT", path, { token, body })).status).toBeLessThan(300);
}

/** An account that requires a second factor, and a member who is logged in to set one up. */
async function inSetUp() {
  const { user: admin, secret } = await userWithApp(stack, { role: "administrator" });
  const { token } = await logInByApp(stack, admin, secret);
  await setPolicy(token, { requirement: "required" });
  const member = await stack.createUser({ accountId: admin.accountId });
  const session = await logInByPassword(stack, member);
  return { admin: token, member, session, web: webClient(stack, session.token) };
}

test("the set-up page shows until when there is time, at each view the same", async () => {
  const { session, web } = await inSetUp();
  for (const _view of [1, 2]) {
    const { html } = await web.open("/set-up");
    expect(html).toContain(`datetime="${session.expiresAt}"`);
    expect(html).not.toContain("15 minutes");
    await stack.advance(60_000);
  }
});

test("the set-up page says that it is no longer required, and the login again opens all pages", async () => {
  const { admin, member, web } = await inSetUp();
  expect((await web.open("/set-up")).heading).toBe("Multi-factor authentication is required");
  await setPolicy(admin, { requirement: "optional" });
  const page = await web.open("/sessions");
  expect(page.heading).toBe("Multi-factor authentication is no longer required");
  expect(words(page.html)).toContain("Your account no longer requires a second step at login.");
  const again = /href="(\/login\?again[^"]*)"/.exec(page.html)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const form = (await web.open(again)).forms.find(({ action }) => action === "/login");
  const { username, password } = member;
  const after = await web.send("/login", { ...form?.fields, username, password });
  expect(after.at).toBe("/sessions");
});

test("the set-up page of a login before a grace period began says from when it is required", async () => {
  const { admin, web } = await inSetUp();
  await setPolicy(admin, { requirement: "required", enforceAfter: { days: 3 } });
  const from = new Date(stack.clock.now() + 3 * DAY_MS).toISOString();
  const page = await web.open("/set-up");
  expect(page.heading).toBe("Multi-factor authentication is not required yet");
  expect(page.html).toContain(`datetime="${from.slice(0, 10)}`);
  // A set-up session cannot use other pages, so "Later" would lead back here.
  expect(page.html).toContain("Log in again");
  expect(page.html).not.toContain(">Later<");
});

test("a user who needs no set-up is sent from the set-up page to the devices", async () => {
  const { web: withDevices } = await withBoth();
  expect((await withDevices.open("/set-up")).at).toBe("/devices");
  const { token } = await loggedIn(stack, "member");
  expect((await webClient(stack, token).open("/set-up")).at).toBe("/devices");
});

test("the page of a phone's PIN shows until when it is accepted, at each view the same", async () => {
  const user = await stack.createUser();
  const { token, id } = await unverifiedPhone(stack, user);
  const web = webClient(stack, token);
  const shown = async () => {
    const { html } = await web.open(`/devices/sms/${id}`);
    expect(html).not.toContain("10 minutes");
    return /Enter it before\s*<time datetime="([^"]*)"/.exec(html)?.[1];
  };
  const first = await shown();
  const leftMs = Date.parse(first ?? "") - stack.clock.now();
  expect(leftMs).toBeGreaterThan(9 * 60_000);
  expect(leftMs).toBeLessThanOrEqual(10 * 60_000);
  await stack.advance(60_000);
  expect(await shown()).toBe(first);
});

test("the page of an app's QR code shows until when it can be seen again", async () => {
  const { web } = await inSetUp();
  const { html, at } = await web.send("/devices/otp", sent({ name: "Mine" }));
  expect(at).toMatch(/^\/devices\/otp\//);
  const until = /in this browser until\s*<time datetime="([^"]*)"/.exec(html)?.[1] ?? "";
  const leftMs = Date.parse(until) - stack.clock.now();
  expect(leftMs).toBeGreaterThan(14 * 60_000);
  expect(leftMs).toBeLessThanOrEqual(15 * 60_000);
});

test("a user with an unverified app is told to verify it, with the link beside it", async () => {
  const { session, web } = await inSetUp();
  expect(words((await web.open("/devices")).html)).toContain("Add a device to turn on");
  const { device } = await registerApp(stack, session.token, "Mine");
  const { html } = await web.open("/devices");
  expect(words(html)).toContain("Verify your device to turn on multi-factor authentication.");
  expect(words(html)).not.toContain("Add a device to turn on");
  expect(html).toContain(`href="/devices/otp/${device.id}" aria-label="Verify Mine"`);
  const { web: verified } = await withBoth();
  expect((await verified.open("/devices")).html).not.toContain(">Verify<");
});

test("Support can unlock and reset right under the state; the charts are folded", async () => {
  const { user } = await withBoth();
  await startChallenge(stack, user);
  await lock(user.id);
  const support = webClient(stack, (await loggedIn(stack, "support")).token);
  const { html } = await support.open(`/support/users/${user.id}`);
  const headings = [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);
  expect(headings).toEqual([
    "State",
    "Unlock",
    "Reset multi-factor authentication",
    "Login in progress",
    "Recent activity",
  ]);
  expect(html).toMatch(/<details>\s*<summary>Now: (sending|awaiting) passcode<\/summary>\s*<ol/);
});

async function lock(userId: string) {
  const lockedAt = new Date(stack.clock.now());
  await stack.deps.db.update(users).set({ lockedAt }).where(eq(users.id, userId));
}

test("a grace period's end is shown with the devices and in the account's settings", async () => {
  const { token } = await loggedIn(stack, "administrator");
  const web = webClient(stack, token);
  const from = new Date(stack.clock.now() + 3 * DAY_MS).toISOString();
  await setPolicy(token, { requirement: "required", enforceAfter: { days: 3 } });
  for (const path of ["/devices", "/account"]) {
    const { html } = await web.open(path);
    const section = html.slice(html.indexOf("Account-wide two-factor authentication"));
    expect(words(section), path).toContain("Required for everyone");
    expect(section.slice(0, section.indexOf("</section>")), path).toContain(`datetime="${from}"`);
  }
  const form = words((await web.open("/account/requirement")).html);
  expect(form).toContain("by the end of the grace period is logged out then");
});

test("the list of users says that only Support can unlock a locked user", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const member = await stack.createUser({ accountId: admin.accountId });
  const list = async () => words((await webClient(stack, token).open("/account/users")).html);
  expect(await list()).not.toContain("Only Support");
  await lock(member.id);
  expect(await list()).toContain("Only Support can unlock this user: contact Support");
});

test("a webhook for types that do not exist names them", async () => {
  const web = webClient(stack, (await loggedIn(stack, "administrator")).token);
  const fields = sent({ url: "https://hooks.example/", types: "login_failed, login_faild, lost" });
  const { html } = await web.send("/account/webhooks", fields);
  expect(words(html)).toContain("There is no such type of event: login_faild, lost.");
});

test.each(["/activity", "/account/activity", "/account/activity/export"])(
  "%s says that the day To comes before the day From",
  async (path) => {
    const web = webClient(stack, (await loggedIn(stack, "administrator")).token);
    const { html, status } = await web.open(`${path}?from=2025-01-03&to=2025-01-02`);
    expect(status).toBe(422);
    expect(html).toMatch(/id="to-error"[^>]*>\s*Choose a day that is not before From\./);
    const { status: sameDay } = await web.open(`${path}?from=2025-01-03&to=2025-01-03`);
    expect(sameDay).toBe(200);
  },
);
