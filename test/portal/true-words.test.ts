import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { listEvents } from "../../store/postgres/events.ts";
import { users } from "../../store/postgres/schema.ts";
import { setRequirement } from "../../store/postgres/users.ts";
import { DAY_MS } from "../../units.ts";
import { loggedIn, logInByApp, userWithApp, verifiedApp } from "../support/apps.ts";
import { enrollPhone, logInByPassword, logInBySms, startChallenge } from "../support/scenarios.ts";
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
