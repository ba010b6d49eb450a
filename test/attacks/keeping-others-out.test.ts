// I have a session of somebody, or an API key, or I administer their account. How often can I keep
// them out, or end what they have, without a trace?

import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { spend } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { openSession } from "../../store/redis/sessions/sessions.ts";
import { codeAt, loggedIn, logInByApp, userWithApp } from "../support/apps.ts";
import { expectProblem } from "../support/problems.ts";
import { startReceiver } from "../support/receiver.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { deliveryFlow } from "../support/webhooks.ts";

const stack = useStack();

const QUARTER_MS = 15 * 60_000;

async function eventsOf(token: string, type: string) {
  const path = `/v1/me/activity?type=${type}&limit=100`;
  const { events } = (
    await stack.api.call<{ events: { actorId: string | null }[] }>("GET", path, { token })
  ).body;
  return events;
}

test("a stolen session that is not recent ends no other session and no login under way", async () => {
  const { user, secret } = await userWithApp(stack);
  const stolen = await logInByApp(stack, user, secret);
  await stack.advance(QUARTER_MS + 1);
  const { id } = await startChallenge(stack, user);
  const { token } = stolen;
  expectProblem(
    await stack.api.call("DELETE", "/v1/sessions", { token }),
    "reauthentication_required",
  );
  const { session } = (await stack.api.verifyPasscode(id, codeAt(secret, stack.clock.now()))).body;
  expectProblem(await stack.api.endSession(token, session.id), "reauthentication_required");
  expect((await stack.api.session(session.token)).status).toBe(200);
  // Its own end needs nothing.
  expect((await stack.api.endSession(token, stolen.id)).status).toBe(204);
});

test("who ends a session, or logins under way, is in the owner's activity", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  await stack.advance(30_000);
  await startChallenge(stack, user);
  const ended = await stack.api.call<{ ended: number }>("DELETE", "/v1/sessions", { token });
  expect(ended.body.ended).toBe(0);
  expect(await eventsOf(token, "other_sessions_ended")).toHaveLength(1);
  const other = await logInByApp(stack, user, secret);
  expect((await stack.api.endSession(token, other.id)).status).toBe(204);
  expect(await eventsOf(token, "other_sessions_ended")).toHaveLength(2);
});

test("an administrator who gives a user the role they have ends nothing, however often", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const colleague = await stack.createUser({ accountId: admin.accountId, role: "administrator" });
  const theirs = await logInByPassword(stack, colleague);
  for (let n = 0; n < 3; n++) {
    const path = `/v1/account/users/${colleague.id}/role`;
    const body = { role: "administrator" };
    expect((await stack.api.call("PUT", path, { token, body })).status).toBe(200);
  }
  expect((await stack.api.session(theirs.token)).status).toBe(200);
});

test("an administrator who requires a factor of a user again does not end the session that sets it up", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const user = await stack.createUser({ accountId: admin.accountId });
  const require = () =>
    stack.app.request(`/v2.0/users/${user.id}/RAX-AUTH/multi-factor`, {
      method: "PUT",
      headers: { "x-auth-token": token, "content-type": "application/json" },
      body: JSON.stringify({
        "RAX-AUTH:multiFactor": { userMultiFactorEnforcementLevel: "REQUIRED" },
      }),
    });
  expect((await require()).status).toBe(204);
  const setUp = (await stack.api.logIn(user)).body as { session: { token: string } };
  expect((await require()).status).toBe(204);
  expect((await stack.api.session(setUp.session.token)).body.scope).toBe("mfa_setup");
});

test("an administrator of the domain who ends a token needs a recent login, and both see it", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const user = await stack.createUser({ accountId: admin.accountId });
  const end = async (theirs: string) =>
    stack.app.request(`/v2.0/tokens/${theirs}`, {
      method: "DELETE",
      headers: { "x-auth-token": token },
    });
  const first = await logInByPassword(stack, user);
  expect((await end(first.token)).status).toBe(204);
  const told = expectProblem(await stack.api.session(first.token), "session_revoked");
  expect(told.detail).toContain("administrator");
  const second = await logInByPassword(stack, user);
  expect(await eventsOf(second.token, "other_sessions_ended")).toMatchObject([
    { actorId: admin.id },
  ]);
  await stack.advance(QUARTER_MS + 1);
  expect((await end(second.token)).status).toBe(401);
  expect((await stack.api.session(second.token)).status).toBe(200);
});

test("a webhook is not turned off by sending its waiting events again and again", async () => {
  const { token } = await loggedIn(stack, "administrator");
  const receiver = await startReceiver();
  receiver.answers(503);
  const hooks = "/v1/account/webhooks";
  const { id } = (
    await stack.api.call<{ id: string }>("POST", hooks, { token, body: { url: receiver.url } })
  ).body;
  type Delivery = { eventId: number; state: string; attempts: number };
  const deliveries = async () =>
    (
      await stack.api.call<{ deliveries: Delivery[] }>("GET", `${hooks}/${id}/deliveries`, {
        token,
      })
    ).body.deliveries;
  const newest = async () => (await deliveries())[0];
  /** Waits until an attempt after this many has ended. */
  const tried = (attempts: number) =>
    until(
      newest,
      (one) => one !== undefined && one.attempts > attempts && one.state !== "attempting",
    ) as Promise<Delivery>;
  let delivery = await tried(0);
  const again = () =>
    stack.api.call("POST", `${hooks}/${id}/deliveries/${delivery.eventId}/resend`, { token });
  while (delivery.state === "waiting") {
    expect((await again()).status).toBe(202);
    delivery = await tried(delivery.attempts);
  }
  expect(delivery.state).toBe("failed");
  // Its flow disables the webhook, if it does, as its last step.
  const flow = await deliveryFlow(stack.deps.db, id, delivery.eventId);
  await stack.temporal.client.workflow.getHandle(flow).result();
  const hook = await stack.api.call<{ state: string }>("GET", `${hooks}/${id}`, { token });
  expect(hook.body.state).toBe("enabled");
  await receiver.stop();

  await stack.advance(QUARTER_MS + 1);
  expectProblem(await again(), "reauthentication_required");
});

test("a stored answer with a secret is for its session alone, whatever other token comes with it", async () => {
  const user = await stack.createUser();
  const [one, two] = [await logInByPassword(stack, user), await logInByPassword(stack, user)];
  const send = (bearer: string) =>
    stack.app.request("/v1/me/devices/otp", {
      method: "POST",
      headers: {
        authorization: `Bearer ${bearer}`,
        "x-auth-token": one.token,
        "content-type": "application/json",
        "idempotency-key": "mix-1",
      },
      body: JSON.stringify({ name: "App" }),
    });
  expect((await send(two.token)).status).toBe(201);
  await stack.api.endSession(two.token, two.id);
  for (const token of [two.token, "nonsense"]) {
    const answer = await send(token);
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain("secret");
  }
});

test("a program that logs in all day does not push out the session by which its owner sets up", async () => {
  const { redis, clock, config } = stack.deps;
  const user = await stack.createUser();
  const epochs = await readEpochs(redis, user.id, user.accountId);
  const { absoluteMs } = config.limits.session;
  const admin = await stack.createUser({ accountId: user.accountId, role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const by = {
    ...{ userId: user.id, accountId: user.accountId, username: user.username, epochs },
    ...{
      role: "member" as const,
      scope: "full" as const,
      amr: ["api_key"],
      lifetimeMs: absoluteMs,
    },
  };
  for (let n = 0; n < 100; n++) await openSession(redis, { ...by, now: clock.now() });
  const body = { requirement: "required" };
  await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
  const setUp = (await stack.api.logIn(user)).body as { session: { token: string } };
  for (let n = 0; n < 5; n++) await openSession(redis, { ...by, now: clock.now() });
  expect((await stack.api.session(setUp.session.token)).body.scope).toBe("mfa_setup");
});

test("who knows a password starts no logins without end, from however many addresses", async () => {
  const config = { ...stack.deps.config };
  const { right } = config.limits.password;
  expect(right.limit).toBeLessThanOrEqual(600);
  const { redis, clock } = stack.deps;
  const user = await stack.createUser();
  for (let n = 1; n < right.limit; n++)
    await spend(redis, keys.rightPasswords(user.id), [right], clock.now());
  await logInByPassword(stack, user);
  expectProblem(await stack.api.logIn(user), "too_many_requests");
});

test("new administrators do not add users without end", async () => {
  const { user, token } = await loggedIn(stack, "administrator");
  const { redis, clock, config } = stack.deps;
  const rule = { limit: config.limits.newUsersPerDay, windowMs: 24 * 60 * 60_000 };
  for (let n = 1; n < rule.limit; n++)
    await spend(redis, keys.newUsers(user.accountId), [rule], clock.now());
  const add = (username: string) => {
    const body = { username, password: "a long password", role: "member" };
    return stack.api.call("POST", "/v1/account/users", { token, body });
  };
  // A name that is taken costs nothing.
  expectProblem(await add(user.username), "username_taken");
  expect((await add(`one-${user.id}`)).status).toBe(201);
  expectProblem(await add(`two-${user.id}`), "too_many_requests");
});

test.each([
  "/v1/me/activity?from=0000-01-01",
  "/v1/me/activity?to=0001-01-01T00:00:00%2B14:00",
  "/v1/account/activity/export?from=0000-01-01",
])("a date that the database cannot compare is refused: %s", async (path) => {
  const { token } = await loggedIn(stack, "administrator");
  expectProblem(await stack.api.call("GET", path, { token }), "invalid_request");
});

/** An administrator whose account has some pages of events. */
async function withEvents() {
  const { user, token, ...rest } = await loggedIn(stack, "administrator");
  const at = new Date(stack.clock.now());
  for (let n = 0; n < 2_500; n++)
    await recordEvent(stack.deps.db, {
      ...{ key: newId(), at, type: "login_failed" as const },
      ...{ accountId: user.accountId, userId: user.id },
    });
  const start = () =>
    stack.app.request("/v1/account/activity/export", {
      headers: { authorization: `Bearer ${token}` },
    });
  return { user, token, start, ...rest };
}

test("an export breaks off when the session ends, and tells of nothing that happens after its start", async () => {
  const { user, token, start } = await withEvents();
  const whole = await (await start()).text();
  const cut = await start();
  await recordEvent(stack.deps.db, {
    ...{ key: newId(), at: new Date(stack.clock.now()), type: "user_added" as const },
    ...{ accountId: user.accountId, userId: user.id },
  });
  const later = await start();
  expect(await later.text()).toContain("user_added");
  await stack.api.call("POST", "/v1/logout", { token });
  const lines: string[] = [];
  const read = async () => {
    for await (const chunk of cut.body as unknown as AsyncIterable<Uint8Array>)
      lines.push(new TextDecoder().decode(chunk));
  };
  await expect(read()).rejects.toThrow();
  expect(lines.join("").length).toBeLessThan(whole.length / 2);
  expect(lines.join("")).not.toContain("user_added");
});

test("of exports that nobody reads, two are under way for each user", async () => {
  const { start } = await withEvents();
  const [one, two] = [await start(), await start()];
  expect((await start()).status).toBe(429);
  await one.body?.cancel();
  const three = await start();
  expect(three.status).toBe(200);
  await Promise.all([two, three].map(({ body }) => body?.cancel()));
});
