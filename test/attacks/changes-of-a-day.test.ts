// I have a session from a recent login and change my devices, codes and settings again and again.
// Each change writes events, histories, notices and deliveries. So the number of changes a day is
// limited, but I can always remove what I have.
import { and, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import type { Limits } from "../../config.ts";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { resetMultiFactor, userOf } from "../../core/support/support.ts";
import { OPERATOR_ID } from "../../store/ids.ts";
import { accounts, events } from "../../store/postgres/schema.ts";
import { keys } from "../../store/redis/keys.ts";
import { DAY_MS } from "../../units.ts";
import { loggedIn, logInByApp, userWithApp } from "../support/apps.ts";
import type { ApiClient } from "../support/client.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, logInBySms, pinSent } from "../support/scenarios.ts";
import { gatewayOver, type Stack } from "../support/stack.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack();

const CODES = "/v1/me/recovery-codes";
const DEVICES = "/v1/me/devices";

/** A gateway that takes so many more changes today of those under a key, and its parts. */
async function few(userId: string, more: number, key = keys.changes) {
  const { config, redis } = stack.deps;
  const changesPerDay = (await redis.zCard(key(userId))) + more;
  const limits = { ...config.limits, changesPerDay } as unknown as Limits;
  const parts = { config: { ...config, limits } };
  return { parts, api: gatewayOver(stack, parts) };
}

const addApp = (api: ApiClient, token: string, name = "App") =>
  api.call<OtpSetup>("POST", `${DEVICES}/otp`, { token, body: { name } });
const remove = (api: ApiClient, token: string, id: string) =>
  api.call("DELETE", `${DEVICES}/${id}`, { token });
const makeCodes = (api: ApiClient, token: string) =>
  api.call("POST", CODES, { token, body: { quantity: 1 } });

test("attack: an app is added and removed without end", async () => {
  const { user, token } = await loggedIn(stack, "member");
  const other = await loggedIn(stack, "member");
  const { api } = await few(user.id, 3);
  // A refused request does not count as a change.
  for (let n = 0; n < 5; n++) expectProblem(await makeCodes(api, token), "multi_factor_off");
  for (let n = 0; n < 2; n++) {
    const { id } = (await addApp(api, token)).body.device;
    await remove(api, token, id);
    expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
  }
  const last = (await addApp(api, token)).body.device;
  const { detail } = expectProblem(await addApp(api, token), "too_many_requests");
  expect(detail).toBe("Too many changes were made today.");
  expectProblem(
    await api.call("POST", `${DEVICES}/${last.id}/restart`, { token }),
    "too_many_requests",
  );
  expectProblem(await api.registerPhone(token, newPhone()), "too_many_requests");
  // Removing still works, and other users are not affected.
  await remove(api, token, last.id);
  expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
  expect((await addApp(api, other.token)).status).toBe(201);
  await stack.advance(DAY_MS);
  const next = await logInByPassword(stack, user);
  expect((await addApp(api, next.token)).status).toBe(201);
});

test("attack: a new QR code is requested again and again", async () => {
  const { user, token } = await loggedIn(stack, "member");
  const { id } = (await addApp(stack.api, token)).body.device;
  const { api } = await few(user.id, 2);
  const restart = () => api.call("POST", `${DEVICES}/${id}/restart`, { token });
  for (let n = 0; n < 2; n++) expect((await restart()).status).toBe(200);
  expectProblem(await restart(), "too_many_requests");
});

test("attack: recovery codes are made without end, by the page as well", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  const { api, parts } = await few(user.id, 2);
  for (let n = 0; n < 2; n++) expect((await makeCodes(api, token)).status).toBe(201);
  expectProblem(await makeCodes(api, token), "too_many_requests");
  const app = createApp({ ...stack.deps, ...parts });
  const browser = webClient({ app: app as Stack["app"] }, token);
  const page = await browser.send("/devices/recovery-codes", { quantity: "2" });
  expect(page.notices.join()).toMatch(/Too many changes were made today\. Try again in \d+ hours/);
  expect(page.at).toBe("/devices/recovery-codes/new");
  // The refused request made no new codes.
  expect((await stack.api.multiFactor(token)).body.recoveryCodes.remaining).toBe(1);
});

test("attack: the default method is switched without end; a choice that changes nothing costs nothing", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  const phone = newPhone();
  const { id } = (await stack.api.registerPhone(token, phone)).body;
  const pin = await stack.pinTo(phone.e164);
  await pinSent(stack, token, id);
  await stack.api.verifyDevice(token, id, pin);
  const { token: next } = await logInBySms(stack, user, phone.e164);
  const { api } = await few(user.id, 2);
  const choose = (method: string) =>
    api.call("PUT", "/v1/me/multi-factor/default-method", { token: next, body: { method } });
  for (let n = 0; n < 5; n++) expect((await choose("sms")).status).toBe(200);
  for (const method of ["otp", "sms"]) expect((await choose(method)).status).toBe(200);
  expectProblem(await choose("otp"), "too_many_requests");
});

test("attack: multi-factor authentication is turned on and off without end, where that is a separate call", async () => {
  const { user, secret } = await userWithApp(stack);
  const values = { enablingIsOwnCall: true };
  await stack.deps.db.update(accounts).set(values).where(eq(accounts.id, user.accountId));
  const { api } = await few(user.id, 1);
  const turn = async (token: string, enabled: boolean) =>
    (
      await api.call("PUT", `/v2.0/users/${user.id}/RAX-AUTH/multi-factor`, {
        headers: { "x-auth-token": token },
        body: { "RAX-AUTH:multiFactor": { enabled } },
      })
    ).status;
  const off = async () => turn((await logInByApp(stack, user, secret)).token, false);
  const on = async () => turn((await logInByPassword(stack, user)).token, true);
  expect(await off()).toBe(204);
  expect(await on()).toBe(204);
  expect(await off()).toBe(204);
  expect(await on()).toBe(413);
});

test("attack: an administrator changes a user's role back and forth without end", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const { id } = await stack.createUser({ accountId: admin.accountId });
  const other = await stack.createUser({ accountId: admin.accountId });
  const { api, parts } = await few(id, 2, keys.changesByOthers);
  const give = (role: string, userId = id) =>
    api.call("PUT", `/v1/account/users/${userId}/role`, { token, body: { role } });
  // The role that they have, and whoever is no user here, are no change.
  for (let n = 0; n < 5; n++) expect((await give("member")).status).toBe(200);
  const strangers = (await stack.createUser()).id;
  for (let n = 0; n < 5; n++)
    expectProblem(await give("administrator", strangers), "user_not_found");
  for (let n = 0; n < 2; n++)
    for (const role of ["administrator", "member"]) expect((await give(role)).status).toBe(200);
  const refused = await give("administrator");
  expectProblem(refused, "too_many_requests");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3600);
  const browser = webClient({ app: createApp({ ...stack.deps, ...parts }) as Stack["app"] }, token);
  const page = await browser.send(`/account/users/${id}/role`, { role: "administrator" });
  expect(page.notices.join()).toMatch(/Too many changes were made today\. Try again in \d+ hours/);
  // Other users are none the worse, and the user's own changes are theirs.
  expect((await give("administrator", other.id)).status).toBe(200);
  expect(await stack.deps.redis.zCard(keys.changes(id))).toBe(0);
});

test("attack: an accomplice promotes and demotes a rogue until the budget is spent; another administrator can still demote the rogue", async () => {
  const { user: chief, token } = await loggedIn(stack, "administrator");
  const { accountId } = chief;
  const rogue = await stack.createUser({ accountId });
  const accomplice = await stack.createUser({ accountId, role: "administrator" });
  const { api } = await few(rogue.id, 3, keys.changesByOthers);
  const give = (role: string, by: string) =>
    api.call("PUT", `/v1/account/users/${rogue.id}/role`, { token: by, body: { role } });
  const theirs = (await logInByPassword(stack, accomplice)).token;
  for (const role of ["administrator", "member", "administrator", "member", "administrator"])
    expect((await give(role, theirs)).status).toBe(200);
  expect((await give("member", token)).status).toBe(200);
  expectProblem(await give("administrator", theirs), "too_many_requests");
  expectProblem(await give("administrator", token), "too_many_requests");
});

/** Sets the user's own requirement as an administrator; answers the status. */
const requiring =
  (api: ApiClient, token: string, id: string) => async (userMultiFactorEnforcementLevel: string) =>
    (
      await api.call("PUT", `/v2.0/users/${id}/RAX-AUTH/multi-factor`, {
        headers: { "x-auth-token": token },
        body: { "RAX-AUTH:multiFactor": { userMultiFactorEnforcementLevel } },
      })
    ).status;

test("attack: an administrator changes a user's own requirement back and forth without end", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const { id } = await stack.createUser({ accountId: admin.accountId });
  const { api } = await few(id, 2, keys.changesByOthers);
  const require = requiring(api, token, id);
  for (let n = 0; n < 5; n++) expect(await require("DEFAULT")).toBe(204);
  for (const level of ["OPTIONAL", "DEFAULT"]) expect(await require(level)).toBe(204);
  expect(await require("OPTIONAL")).toBe(413);
  // To require it is always possible.
  expect(await require("REQUIRED")).toBe(204);
});

test("attack: an exempt user's requirement is changed until the budget is spent; the account's requirement can still apply again", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const { accountId } = admin;
  const { id } = await stack.createUser({ accountId });
  await stack.deps.db
    .update(accounts)
    .set({ requirement: "required", enforceAfter: new Date(stack.deps.clock.now() + DAY_MS) })
    .where(eq(accounts.id, accountId));
  const { api } = await few(id, 2, keys.changesByOthers);
  const require = requiring(api, token, id);
  for (const level of ["OPTIONAL", "DEFAULT", "OPTIONAL", "DEFAULT"])
    expect(await require(level)).toBe(204);
  expect(await require("OPTIONAL")).toBe(413);
  expect(await require("REQUIRED")).toBe(204);
  // This way back is charged, or the two levels could take turns without end.
  expect(await require("DEFAULT")).toBe(413);
});

test("attack: Support resets a user without a device again and again: each ends the sessions, but only as many as the budget leave an event", async () => {
  const { token } = await loggedIn(stack, "support");
  const user = await stack.createUser();
  const { id } = user;
  const { api, parts } = await few(id, 2, keys.changesByOthers);
  const reset = () =>
    api.call<{ changed: boolean }>("POST", `/v1/support/users/${id}/reset-multi-factor`, {
      token,
      body: { reason: "lost it" },
    });
  const recorded = async () => {
    const isReset = and(eq(events.userId, id), eq(events.type, "multi_factor_reset"));
    return stack.deps.db.$count(events, isReset);
  };
  const endsSessions = async (act: () => Promise<unknown>) => {
    const session = await logInByPassword(stack, user);
    await act();
    const refused = await stack.api.multiFactor(session.token);
    expect(expectProblem(refused, "session_revoked").reason).toBe("multi_factor_reset");
  };
  for (let n = 0; n < 3; n++)
    await endsSessions(async () => expect((await reset()).body).toEqual({ changed: false }));
  expect(await recorded()).toBe(2);
  const browser = webClient({ app: createApp({ ...stack.deps, ...parts }) as Stack["app"] }, token);
  await endsSessions(async () => {
    const page = await browser.send(`/support/users/${id}/reset`, { "reset-reason": "lost it" });
    expect(page.html).toContain("The user had no device; their sessions were ended.");
  });
  expect(await recorded()).toBe(2);
  // The operator's command line pays nothing, so its reset is always recorded.
  const operator = { actorId: OPERATOR_ID, session: OPERATOR_ID, origin: {} } as const;
  await resetMultiFactor(
    { ...stack.deps, ...parts },
    await userOf(stack.deps, id),
    operator,
    "why",
  );
  expect(await recorded()).toBe(3);
  // Neither does the reset of a user with a device.
  await addApp(stack.api, (await logInByPassword(stack, user)).token);
  expect((await reset()).body).toEqual({ changed: true });
  expect(await recorded()).toBe(4);
});

test("attack: an administrator makes codes for a user: the administrator pays for the change, not the user", async () => {
  const { user: admin, token } = await loggedIn(stack, "administrator");
  const { user } = await userWithApp(stack, { accountId: admin.accountId });
  const before = await stack.deps.redis.zCard(keys.changes(user.id));
  const made = await stack.api.call(
    "POST",
    `/v2.0/users/${user.id}/RAX-AUTH/multi-factor/bypass-codes`,
    {
      headers: { "x-auth-token": token },
      body: { "RAX-AUTH:bypassCodes": { validityDuration: "PT5M" } },
    },
  );
  expect(made.status, made.text).toBe(200);
  expect(await stack.deps.redis.zCard(keys.changes(user.id))).toBe(before);
  expect(await stack.deps.redis.zCard(keys.changes(admin.id))).toBe(1);
});

test("attack: an administrator tries accounts for a link without end", async () => {
  const { user, token } = await loggedIn(stack, "administrator");
  const other = await stack.createUser();
  const { api } = await few(user.id, 2);
  const link = (password: string) =>
    api.call("POST", "/v1/account/links", {
      token,
      body: { username: other.username, password },
    });
  expectProblem(await link(other.password), "not_a_cloud_account");
  expectProblem(await link("not the password"), "invalid_credentials");
  expectProblem(await link(other.password), "too_many_requests");
});

test("attack: all devices are removed again and again, though none is left", async () => {
  const { user, token } = await loggedIn(stack, "member");
  await addApp(stack.api, token);
  const { api } = await few(user.id, 1);
  const all = () => api.call("DELETE", DEVICES, { token });
  expect((await all()).status).toBe(204);
  expect((await all()).status).toBe(204);
  expectProblem(await all(), "too_many_requests");
});

test("attack: an administrator adds and removes webhooks without end: each is recorded and asks DNS, so sixty a day", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const path = "/v1/account/webhooks";
  const add = () =>
    stack.api.call<{ id: string }>("POST", path, { token, body: { url: "http://127.0.0.1:9/" } });
  let last = "";
  for (let n = 0; n < 60; n++) {
    if (last) await stack.api.call("DELETE", `${path}/${last}`, { token });
    const added = await add();
    expect(added.status, added.text).toBe(201);
    last = added.body.id;
  }
  const refused = await add();
  expectProblem(refused, "too_many_requests");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3600);
  const enabled = await stack.api.call("POST", `${path}/${last}/enable`, { token });
  expectProblem(enabled, "too_many_requests");
  // A wrong webhook can always be removed.
  expect((await stack.api.call("DELETE", `${path}/${last}`, { token })).status).toBe(204);
  await stack.advance(DAY_MS);
  const again = (await logInByPassword(stack, admin)).token;
  const body = { url: "http://127.0.0.1:9/" };
  expect((await stack.api.call("POST", path, { token: again, body })).status).toBe(201);
});
