// Somebody has my password and tries passcodes, too few to lock my account. Am I told, with the
// address that they came from? Can they hide it from me?
import { expect, test } from "vitest";
import type { listAudit } from "../../core/audit.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { codeAt, logInByApp, registerApp, userWithApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, startChallenge, wrongCode } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });

type Page = Awaited<ReturnType<typeof listAudit>>;

const THIEF = { headers: { "x-forwarded-for": "203.0.113.66", "user-agent": "Thief/1.0" } };

const now = (secret: string) => codeAt(secret, stack.clock.now());

async function eventsOf(token: string, type: string, path = "/v1/me/activity") {
  const { events } = (await stack.api.call<Page>("GET", `${path}?type=${type}`, { token })).body;
  return events;
}

const pageOf = async (path: string, token: string) =>
  (await webClient(stack, token).open(path)).html;

test("each failed second step is recorded with its address, browser and method, and nothing that was typed", async () => {
  const { user, secret } = await userWithApp(stack);
  const used = now(secret);
  const first = await startChallenge(stack, user);
  await stack.api.verifyPasscode(first.id, used);
  const { id } = await startChallenge(stack, user);
  const guesses = [wrongCode(used), "1234567", "AAAA-BBBB-CCCC-DDDD"];
  for (const guess of guesses)
    expectProblem(await stack.api.verifyPasscode(id, guess, THIEF), "passcode_rejected");
  expectProblem(await stack.api.verifyPasscode(id, used, THIEF), "passcode_already_used");

  const { token } = await logInByApp(stack, user, secret);
  const events = await eventsOf(token, "second_step_failed");
  expect(events.map(({ detail }) => detail)).toEqual([
    { method: "otp", device: "App", reason: "already_used" },
    { method: "recovery_code" },
    { method: "sms" },
    { method: "otp" },
  ]);
  for (const { ip, userAgent, userId, actorId } of events)
    expect({ ip, userAgent, userId, actorId }).toEqual({
      ip: "203.0.113.66",
      userAgent: "Thief/1.0",
      userId: user.id,
      actorId: user.id,
    });
  for (const typed of [...guesses, used]) expect(JSON.stringify(events)).not.toContain(typed);
  const page = await pageOf("/activity?kind=logins", token);
  expect(page).toContain("Second step failed: passcode of an app");
  expect(page).toContain("203.0.113.66");
  expect(page).toContain("the code was used before");
});

test("the account's administrators see them in the list and in the export, also the one that locked", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  await enrollPhone(stack, member, newPhone());
  const { id } = await startChallenge(stack, member);
  for (let n = 1; n <= 7; n++) await stack.api.verifyPasscode(id, String(1_000_000 + n), THIEF);
  const { token } = await logInByPassword(stack, admin);
  expect(await eventsOf(token, "second_step_failed", "/v1/account/activity")).toHaveLength(7);
  const path = "/v1/account/activity/export?type=second_step_failed";
  const file = await stack.app.request(path, { headers: { authorization: `Bearer ${token}` } });
  expect((await file.text()).trim().split("\n")).toHaveLength(7);
});

test("the next login says once how many attempts failed and since when; a successful login does not count", async () => {
  const { user, secret } = await userWithApp(stack);
  await stack.advance(30_000);
  const since = new Date(stack.clock.now()).toISOString();
  await stack.api.logIn({ ...user, password: "guess" }, THIEF);
  const { id } = await startChallenge(stack, user);
  // A wrong password is recorded after the answer, so wait for it.
  await until(
    () => stack.deps.redis.hGet(`mfa:{${user.id}}:failed-logins`, "count"),
    (count) => count === "1",
  );
  await stack.advance(30_000);
  await stack.api.verifyPasscode(id, wrongCode(now(secret)), THIEF);
  await stack.api.verifyPasscode(id, "7654321", THIEF);
  const own = await startChallenge(stack, user);
  const { failedAttempts } = (await stack.api.verifyPasscode(own.id, now(secret))).body;
  expect(failedAttempts).toEqual({ count: 3, since });
  await stack.advance(30_000);
  const next = await startChallenge(stack, user);
  const again = (await stack.api.verifyPasscode(next.id, now(secret))).body;
  expect(again.failedAttempts).toBeUndefined();
  expect(await eventsOf(again.session.token, "second_step_failed")).toHaveLength(2);
});

test("the page after a login says so, once", async () => {
  const { user, secret } = await userWithApp(stack);
  const { id } = await startChallenge(stack, user);
  await stack.api.verifyPasscode(id, wrongCode(now(secret)), THIEF);
  await stack.api.verifyPasscode(id, "7654321", THIEF);
  const browser = webClient(stack);
  const asked = await browser.send("/login", { username: user.username, password: user.password });
  const [form] = asked.forms;
  const answered = await browser.send(form?.action ?? "", {
    ...form?.fields,
    passcode: now(secret),
  });
  expect(answered.notices.join()).toContain("2 attempts to log in failed since");
  // As all other times of the page, it is shown in the reader's time zone.
  expect(answered.html).toMatch(/failed since <time datetime="[-\dT:]+Z" data-local/);
  expect((await browser.open("/devices")).notices.join()).not.toContain("failed");
});

/** A program's login at the Identity API. `code` is the app's code, for a user with an app. */
async function programLogsIn({ username, password }: Person, code?: () => string) {
  const send = (auth: object, headers: Record<string, string> = {}) =>
    stack.app.request("/v2.0/tokens", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ auth }),
    });
  const first = await send({ passwordCredentials: { username, password } });
  if (!code) return first.status;
  const [, id = ""] = /sessionId='([^']+)'/.exec(first.headers.get("www-authenticate") ?? "") ?? [];
  const passcode = { "RAX-AUTH:passcodeCredentials": { passcode: code() } };
  return (await send(passcode, { "x-sessionid": id })).status;
}

/** Types a wrong password, which is recorded after the answer. */
async function wrongPassword(user: Person) {
  await stack.api.logIn({ ...user, password: "guess" }, THIEF);
  await until(
    () => stack.deps.redis.hGet(`mfa:{${user.id}}:failed-logins`, "count"),
    (count) => count !== null && count !== undefined,
  );
}

test("an OpenStack client that logs in all day does not use up the portal's message about failed attempts", async () => {
  const user = await stack.createUser();
  await wrongPassword(user);
  expect(await programLogsIn(user)).toBe(200);
  const { username, password } = user;
  const page = await webClient(stack).send("/login", { username, password });
  expect(page.notices.join()).toContain("1 attempt to log in failed since");

  const { user: owner, secret } = await userWithApp(stack);
  await stack.advance(30_000);
  const { id } = await startChallenge(stack, owner);
  await stack.api.verifyPasscode(id, wrongCode(now(secret)), THIEF);
  expect(await programLogsIn(owner, () => now(secret))).toBe(200);
  await stack.advance(30_000);
  const own = await startChallenge(stack, owner);
  const { failedAttempts } = (await stack.api.verifyPasscode(own.id, now(secret))).body;
  expect(failedAttempts?.count).toBe(1);
});

test("in a grace period the page that asks for a device shows failed attempts too, once", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  const { token } = await logInByPassword(stack, admin);
  const body = { requirement: "required", enforceAfter: { days: 14 } };
  await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
  await wrongPassword(member);
  const { username, password } = member;
  const browser = webClient(stack);
  const page = await browser.send("/login", { username, password });
  expect(page.heading).toBe("Multi-factor authentication will be required");
  expect(page.notices.join()).toContain("1 attempt to log in failed since");
  expect((await browser.open("/devices")).notices.join()).not.toContain("failed");
});

test("activity says which app logged the user in, and whose code was sent again", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  await stack.advance(30_000);
  const work = await registerApp(stack, token, "Work phone");
  await stack.api.verifyDevice(token, work.device.id, now(work.secret));
  await stack.advance(30_000);
  const first = await startChallenge(stack, user);
  const code = now(work.secret);
  const { session } = (await stack.api.verifyPasscode(first.id, code)).body;
  const { id } = await startChallenge(stack, user);
  expectProblem(await stack.api.verifyPasscode(id, code, THIEF), "passcode_already_used");
  const [login] = await eventsOf(session.token, "login_succeeded");
  expect(login?.detail).toEqual({ factor: "otp", device: "Work phone" });
  const own = await pageOf("/activity", session.token);
  expect(own).toContain("Login succeeded: passcode of an app, Work phone");
  expect(own).toContain("Second step failed: passcode of an app, Work phone");
});

test("activity says which message was refused or not sent, which attempt was given back, which setting and policy", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { accountId, id: userId } = admin;
  const happened: [EventType, Record<string, unknown>][] = [
    ["send_refused", { limit: "hour", kind: "passcode", number: "+•••••••1234" }],
    ["attempt_given_back", { kind: "pin" }],
    ["notice_dropped", { notice: "device_verified", to: "current" }],
    ["notice_dropped", { notice: "email_changed", to: "former" }],
    ["policy_enforced", { toGo: 2 }],
    ["account_setting_changed", { setting: "api-keys-bypass-mfa", state: "on" }],
  ];
  for (const [type, detail] of happened) {
    const at = new Date(stack.clock.now());
    await recordEvent(stack.deps.db, { key: newId(), at, accountId, userId, type, detail });
  }
  const { token } = await logInByPassword(stack, admin);
  const own = await pageOf("/account/activity", token);
  for (const words of [
    "Message refused: passcode to +•••••••1234",
    "Attempt given back: PIN, because the service was away",
    "Notification not sent: Device verified<",
    "Notification not sent: Email changed, to the previous address",
    "Policy enforced: Required, 2 users are not set up",
    "Account setting changed: API keys log in without a second factor: on",
  ])
    expect(own).toContain(words);
});

test("activity says which device and which policy", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const phone = newPhone();
  const { id } = (await stack.api.registerPhone(token, phone)).body;
  const masked = `+•••••••${phone.e164.slice(-4)}`;
  await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
  await stack.api.call("POST", "/v1/me/devices/otp", { token, body: { name: "My phone" } });
  const requirement = { requirement: "required", enforceAfter: { days: 14 } };
  await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body: requirement });
  const own = await pageOf("/activity", token);
  expect(own).toContain(`SMS device added: ${masked}`);
  expect(own).toContain(`Device removed: ${masked}`);
  expect(own).toContain("OTP device added: My phone");
  const policy = await pageOf("/account/activity", token);
  expect(policy.replace(/<[^>]*>/g, "")).toContain("Policy changed: Required, from 2026-01-1");
  expect(policy).not.toContain(phone.e164);
});

test("attack: used codes do not fill the activity: each challenge records them once", async () => {
  const { user, secret } = await userWithApp(stack);
  const used = now(secret);
  const first = await startChallenge(stack, user);
  await stack.api.verifyPasscode(first.id, used);
  const { id } = await startChallenge(stack, user);
  for (let n = 0; n < 50; n++)
    expectProblem(await stack.api.verifyPasscode(id, used, THIEF), "passcode_already_used");
  const { token } = await logInByApp(stack, user, secret);
  expect(await eventsOf(token, "second_step_failed")).toHaveLength(1);
});
