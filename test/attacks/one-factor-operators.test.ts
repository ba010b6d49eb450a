// I have the password of a Support operator, or of an administrator when the service requires a
// second factor of them. It must open only the set-up of their second factor, at every API.
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { makeApiKey } from "../../core/login/api-keys.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { newId } from "../../store/ids.ts";
import { setPolicy } from "../../store/postgres/accounts.ts";
import { accounts } from "../../store/postgres/schema.ts";
import { getUser, setRequirement } from "../../store/postgres/users.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { DAY_MS } from "../../units.ts";
import { logInByApp, supportOperator, userWithApp, verifiedApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack({ environment: { ADMINISTRATORS_NEED_MFA: "true" } });
const ROLES = ["support", "administrator"] as const;
const PATHS = { support: "/v1/support/users?query=user", administrator: "/v1/account/users" };
const PAGES = { support: "/support", administrator: "/account" };

async function identity(body: object) {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await stack.app.request("/v2.0/tokens", init);
  return { status: answer.status, text: await answer.text() };
}

const page = (path: string, token: string) =>
  stack.app.request(`https://mfa.example${path}`, {
    headers: { cookie: `__Host-session=${token}` },
  });

/** A full session by password only, like one from before the rule. */
async function oldSession(
  { id: userId, accountId, username }: Person,
  role: "support" | "administrator",
) {
  const { redis, clock, config } = stack.deps;
  const opened = await openSession(redis, {
    ...{ userId, accountId, username, role, scope: "full", amr: ["pwd"], now: clock.now() },
    epochs: await readEpochs(redis, userId, accountId),
    lifetimeMs: config.limits.session.absoluteMs,
  });
  if (typeof opened === "string") throw new Error(opened);
  return opened.token;
}

const event = (user: Person, type: EventType) => ({
  ...{ key: newId(), at: new Date(stack.clock.now()), type },
  ...{ accountId: user.accountId, userId: user.id },
});

test.each(ROLES)("the role %s gets only a set-up session by password", async (role) => {
  const user = await stack.createUser({ role });
  const session = await logInByPassword(stack, user);
  expect(session).toMatchObject({ scope: "mfa_setup", amr: ["pwd"] });
  expectProblem(await stack.api.call("GET", PATHS[role], { token: session.token }), "setup_only");
  expect((await page(PAGES[role], session.token)).headers.get("location")).toMatch(/^\/set-up/);
  expect((await stack.api.multiFactor(session.token)).body.required).toBe(true);

  const { secret } = await verifiedApp(stack, session.token, true);
  const full = await logInByApp(stack, user, secret);
  expect(full.scope).toBe("full");
  expect((await stack.api.call("GET", PATHS[role], { token: full.token })).status).toBe(200);
  expect((await page(PAGES[role], full.token)).status).toBe(200);
});

test.each([
  ["support", "Your role as a Support operator requires"],
  ["administrator", "Your role as an administrator requires"],
] as const)("the role %s reads that the role requires it, not the account", async (role, words) => {
  const user = await stack.createUser({ role });
  const { token } = await logInByPassword(stack, user);
  const pages = ["/set-up", "/devices", "/devices/remove-all"];
  for (const path of pages) {
    const html = await (await page(path, token)).text();
    expect(html, path).toContain(words);
    expect(html, path).not.toMatch(/your account requires/i);
  }
});

test("a member reads whether their account requires it, or only their own requirement", async () => {
  const [byAccount, alone] = [await stack.createUser(), await stack.createUser()];
  const { accountId } = byAccount;
  const policy = { accountId, requirement: "required", enforceAfter: null, version: 0 } as const;
  await setPolicy(stack.deps.db, policy, event(byAccount, "policy_changed"));
  const own = { userId: alone.id, requirement: "required" } as const;
  await setRequirement(stack.deps.db, own, event(alone, "user_requirement_changed"));
  for (const [user, words] of [
    [byAccount, "Your account requires"],
    [alone, "Your administrator requires"],
  ] as const) {
    const { token } = await logInByPassword(stack, user);
    expect(await (await page("/set-up", token)).text()).toContain(words);
  }
});

test("a member still gets a full session by password", async () => {
  expect((await logInByPassword(stack, await stack.createUser())).scope).toBe("full");
});

test.each(ROLES)(
  "neither the account's grace period nor an exemption spares the role %s",
  async (role) => {
    const { db, clock } = stack.deps;
    const [graced, exempt] = [await stack.createUser({ role }), await stack.createUser({ role })];
    const enforceAfter = new Date(clock.now() + DAY_MS);
    const policy = {
      accountId: graced.accountId,
      requirement: "required",
      enforceAfter,
      version: 0,
    } as const;
    await setPolicy(db, policy, event(graced, "policy_changed"));
    const exemption = { userId: exempt.id, requirement: "optional" } as const;
    await setRequirement(db, exemption, event(exempt, "user_requirement_changed"));
    for (const user of [graced, exempt])
      expect((await logInByPassword(stack, user)).scope).toBe("mfa_setup");
  },
);

test.each(ROLES)(
  "through the Identity face the role %s gets a set-up token at most",
  async (role) => {
    const user = await stack.createUser({ role });
    const passwordCredentials = { username: user.username, password: user.password };
    const refused = await identity({ auth: { passwordCredentials } });
    expect(refused).toMatchObject({
      status: 403,
      text: expect.stringContaining("User must setup"),
    });
    const scoped = { "RAX-AUTH:scope": "SETUP-MFA", passwordCredentials };
    const { status, text } = await identity({ auth: scoped });
    expect(status).toBe(200);
    const token = JSON.parse(text).access.token.id;
    expect((await stack.api.session(token)).body.scope).toBe("mfa_setup");
  },
);

/** The answer to a user's API key, in an account where keys need no second factor. */
async function keyed({ id, accountId, username }: Person) {
  const { db } = stack.deps;
  await db.update(accounts).set({ apiKeysBypassMfa: true }).where(eq(accounts.id, accountId));
  const user = await getUser(db, id);
  if (!user) throw new Error("There is no user");
  const apiKey = await makeApiKey(stack.deps, user, {
    actorId: "test",
    origin: {},
    session: "command_line",
  });
  return identity({ auth: { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } } });
}

test.each(ROLES)(
  "an API key does not log in the role %s, whatever the account allows",
  async (role) => {
    expect((await keyed(await stack.createUser({ role }))).status).toBe(401);
    expect((await keyed((await userWithApp(stack, { role })).user)).status).toBe(401);
    expect((await keyed((await userWithApp(stack)).user)).status).toBe(200);
  },
);

test.each(ROLES)(
  "an old full session by password of the role %s can do none of its work",
  async (role) => {
    const user = await stack.createUser({ role });
    const token = await oldSession(user, role);
    expect((await stack.api.session(token)).body.scope).toBe("full");
    const answer = await stack.api.call("GET", PATHS[role], { token });
    expectProblem(answer, "reauthentication_required");
    const shown = await page(PAGES[role], token);
    expect(shown.status).toBe(303);
    expect(shown.headers.get("location")).toMatch(/^\/login\?again/);
  },
);

test("an operator who removes the last device is logged out, and must set up again", async () => {
  const { user, id, token } = await supportOperator(stack);
  const removed = await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
  expect(removed.status).toBe(204);
  const { reason } = expectProblem(await stack.api.session(token), "session_revoked");
  expect(reason).toBe("device_removed");
  expect((await logInByPassword(stack, user)).scope).toBe("mfa_setup");
});

test("an operator cannot turn multi-factor authentication off by the Identity face", async () => {
  const { user, token } = await supportOperator(stack);
  const body = JSON.stringify({ "RAX-AUTH:multiFactor": { enabled: false } });
  const headers = { "content-type": "application/json", "x-auth-token": token };
  const init = { method: "PUT", headers, body };
  const answer = await stack.app.request(`/v2.0/users/${user.id}/RAX-AUTH/multi-factor`, init);
  expect(answer.status).toBe(403);
  expect((await stack.api.multiFactor(token)).body.enabled).toBe(true);
});
