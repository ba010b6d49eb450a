import { Worker } from "@temporalio/worker";
import { generateSync } from "otplib";
import { expect, test } from "vitest";
import type { Policy } from "../../core/account/policy.ts";
import type { PolicyRequest } from "../../core/account/roll-out.ts";
import type { listAudit } from "../../core/audit.ts";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { DAY_MS, MINUTE_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { VIEW } from "../../workflows/messages.ts";
import { loggedIn } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { logInByPassword, logInBySms, pinSent } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { bundle } from "../support/workflow-bundle.ts";

const WEEK = 7 * DAY_MS;
const PATH = "/v1/account/multi-factor-policy";

const stack = useStack({ time: "skipping" });

const getPolicy = (token: string) => stack.api.call<Policy>("GET", PATH, { token });
const putPolicy = (token: string, body: PolicyRequest | object) =>
  stack.api.call<Policy>("PUT", PATH, { token, body });

/** An account with two administrators and a member, all without a device. */
async function newAccount() {
  const admin = await stack.createUser({ role: "administrator" });
  const { accountId } = admin;
  const other = await stack.createUser({ accountId, role: "administrator" });
  return { admin, other, member: await stack.createUser({ accountId }) };
}

const tokenOf = async (user: Person) => (await logInByPassword(stack, user)).token;

/** Changes the policy as this administrator, after a new login. */
const changeAs = async (user: Person, body: PolicyRequest) =>
  (await putPolicy(await tokenOf(user), body)).body;

/** Gives the user an app. Returns the token of the session, which now has the second factor. */
async function enrollApp(user: Person): Promise<string> {
  const token = await tokenOf(user);
  const named = { token, body: { name: "App" } };
  const { device, secret } = (await stack.api.call<OtpSetup>("POST", "/v1/me/devices/otp", named))
    .body;
  const code = generateSync({ secret, epoch: Math.floor(stack.clock.now() / 1000) });
  const body = { code, makeDefault: false };
  await stack.api.call("POST", `/v1/me/devices/${device.id}/verify`, { token, body });
  return token;
}

/** The state of the roll-out of this version, as operators see it. */
const rolloutState = async ({ accountId }: Person, version: number) =>
  (
    await stack.temporal.client.workflow
      .getHandle(workflowIds.policyRollout(accountId, version))
      .query<{ state: string }>(VIEW)
  ).state;

type Page = Awaited<ReturnType<typeof listAudit>>;
const remindersOf = async (token: string) =>
  (await stack.api.call<Page>("GET", "/v1/me/activity?type=multi_factor_reminder", { token })).body
    .events;

test("required: sessions without a second factor end at once, those with one stay", async () => {
  const { admin, member } = await newAccount();
  const configured = await stack.createUser({ accountId: admin.accountId });
  const stranger = await tokenOf(await stack.createUser());
  const weak = [await tokenOf(member), await tokenOf(member)];
  const strong = await enrollApp(configured);
  const policy = await changeAs(admin, { requirement: "required" });
  expect(policy).toMatchObject({
    requirement: "required",
    enforceAfter: null,
    state: "enforced",
    users: { total: 4, configured: 1, toGo: 3 },
    startedBy: { id: admin.id, username: admin.username },
  });
  for (const token of weak)
    expect((await stack.api.session(token)).problem).toMatchObject({
      code: "session_revoked",
      reason: "policy_required",
    });
  expect((await stack.api.session(strong)).status).toBe(200);
  expect((await stack.api.session(stranger)).status).toBe(200);
});

test("an administrator without a device is warned beforehand and treated like everyone else", async () => {
  const { admin, other } = await newAccount();
  const token = await tokenOf(admin);
  expect((await getPolicy(token)).body).toMatchObject({
    requirement: "optional",
    state: "optional",
    users: { total: 3, configured: 0, toGo: 3 },
    startedBy: null,
    youMustSetUp: true,
  });
  const answer = await putPolicy(token, { requirement: "required" });
  expect(answer.status).toBe(202);
  expect(answer.body.youMustSetUp).toBe(true);
  expect((await stack.api.session(token)).problem.reason).toBe("policy_required");
  const login = await logInByPassword(stack, admin);
  expect(login.scope).toBe("mfa_setup");
  expect((await getPolicy(login.token)).problem.code).toBe("setup_only");
  expect((await logInByPassword(stack, other)).scope).toBe("mfa_setup");
});

test("an administrator with a device stays and needs no set-up", async () => {
  const { admin } = await newAccount();
  const token = await enrollApp(admin);
  expect((await putPolicy(token, { requirement: "required" })).body.youMustSetUp).toBe(false);
  expect((await getPolicy(token)).body.users.toGo).toBe(2);
});

test("a set-up session can only set up, for fifteen minutes, again and again", async () => {
  const { api } = stack;
  const { admin, member } = await newAccount();
  await changeAs(admin, { requirement: "required" });
  const first = (await api.logIn(member)).body;
  if (first.status !== "setup_required") throw new Error(`It is ${first.status}`);
  const { token } = first.session;
  const phone = newPhone();
  const { id } = (await api.registerPhone(token, phone)).body;
  await stack.pinTo(phone.e164);
  await pinSent(stack, token, id);
  for (const [method, path, body] of [
    ["GET", "/v1/sessions"],
    ["GET", "/v1/me/activity"],
    ["GET", "/v1/account/users"],
    ["POST", "/v1/me/recovery-codes", {}],
    ["PUT", "/v1/me/multi-factor/default-method", { method: "sms" }],
  ] as const)
    expect((await api.call(method, path, { token, body })).problem.code, path).toBe("setup_only");

  // The user leaves the set-up and continues it after another login.
  await stack.advance(15 * MINUTE_MS);
  expect((await api.multiFactor(token)).problem.code).toBe("session_expired");
  const second = await logInByPassword(stack, member);
  expect((await api.multiFactor(second.token)).body).toMatchObject({
    enabled: false,
    required: true,
    devices: [{ id, verified: false, state: "pin_expired" }],
  });
  await api.resendPin(second.token, id);
  const pin = await stack.pinTo(phone.e164);
  await pinSent(stack, second.token, id);
  const verified = (await api.verifyDevice(second.token, id, pin)).body;
  expect(verified).toMatchObject({ signedOut: true });
  expect((await api.session(second.token)).problem.reason).toBe("device_verified");
  const session = await logInBySms(stack, member, phone.e164);
  expect(session).toMatchObject({ scope: "full", amr: ["pwd", "sms", "mfa"] });
});

test("a roll-out is complete once everyone has a device", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  const token = await enrollApp(admin);
  expect((await putPolicy(token, { requirement: "required" })).body.state).toBe("enforced");
  await enrollApp(member);
  expect((await getPolicy(token)).body).toMatchObject({
    state: "completed",
    users: { total: 2, configured: 2, toGo: 0 },
  });
  expect(await rolloutState(admin, 1)).toBe("completed");
  const again = await putPolicy(token, { requirement: "required" });
  expect([again.status, again.body.state]).toEqual([200, "completed"]);
  expect((await stack.api.session(token)).status).toBe(200);
});

test("a roll-out that nobody looks at finds out within a day that everyone has a device", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  await changeAs(admin, { requirement: "required" });
  await enrollApp(admin);
  expect(await rolloutState(admin, 1)).toBe("enforced");
  await stack.advance(DAY_MS);
  await until(
    () => rolloutState(admin, 1),
    (state) => state === "completed",
  );
});

test("a grace period of three weeks: shown at each login, two reminders, then enforced", async () => {
  const { api } = stack;
  const { admin, member } = await newAccount();
  const ready = await stack.createUser({ accountId: admin.accountId });
  await enrollApp(ready);
  const policy = await changeAs(admin, { requirement: "required", enforceAfter: { days: 21 } });
  const end = new Date(stack.clock.now() + 3 * WEEK).toISOString();
  expect(policy).toMatchObject({ state: "grace_period", enforceAfter: end, users: { toGo: 3 } });

  const answer = (await api.logIn(member)).body;
  expect(answer).toMatchObject({ status: "authenticated", multiFactorRequiredFrom: end });
  const early = await tokenOf(member);
  expect((await api.multiFactor(early)).body).toMatchObject({ multiFactorRequiredFrom: end });
  await stack.advance(18 * DAY_MS - MINUTE_MS);
  expect(await remindersOf(await tokenOf(member))).toEqual([]);
  await stack.advance(MINUTE_MS);
  const once = await until(
    async () => remindersOf(await tokenOf(member)),
    ({ length }) => length > 0,
  );
  expect(once).toMatchObject([
    { workflowId: workflowIds.policyRollout(admin.accountId, 1), detail: { requiredFrom: end } },
  ]);
  await stack.advance(2 * DAY_MS);
  await until(
    async () => remindersOf(await tokenOf(member)),
    ({ length }) => length === 2,
  );
  await stack.advance(DAY_MS - MINUTE_MS);
  const late = await logInByPassword(stack, member);
  expect(late.scope).toBe("full");
  await stack.advance(MINUTE_MS);
  await until(
    () => rolloutState(admin, 1),
    (state) => state === "enforced",
  );
  expect((await api.session(late.token)).problem.reason).toBe("policy_required");
  const login = (await api.logIn(member)).body;
  expect(login.status).toBe("setup_required");
  expect(login).not.toHaveProperty("multiFactorRequiredFrom");
});

test("a user with a device is not reminded, and a short grace period has one reminder only", async () => {
  const { admin, other, member } = await newAccount();
  await enrollApp(member);
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 2 } });
  await stack.advance(DAY_MS);
  const reminders = async () => {
    const token = await tokenOf(admin);
    const path = "/v1/account/activity?type=multi_factor_reminder";
    return (await stack.api.call<Page>("GET", path, { token })).body.events;
  };
  const events = await until(reminders, ({ length }) => length > 0);
  expect(events.map(({ userId }) => userId).sort()).toEqual([admin.id, other.id].sort());
});

test("another call can move the date forward or back; the older date no longer counts", async () => {
  const { admin, member } = await newAccount();
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 14 } });
  const later = new Date(stack.clock.now() + 4 * WEEK).toISOString();
  const extended = await changeAs(admin, { requirement: "required", enforceAfter: later });
  expect(extended).toMatchObject({ state: "grace_period", enforceAfter: later });
  await until(
    () => rolloutState(admin, 1),
    (state) => state === "superseded",
  );
  await stack.advance(3 * WEEK);
  expect((await logInByPassword(stack, member)).scope).toBe("full");
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 1 } });
  await stack.advance(DAY_MS);
  await until(
    () => rolloutState(admin, 3),
    (state) => state === "enforced",
  );
  expect((await logInByPassword(stack, member)).scope).toBe("mfa_setup");
});

test("a call without a date ends the grace period at once", async () => {
  const { admin, member } = await newAccount();
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 14 } });
  const token = await tokenOf(member);
  const now = await changeAs(admin, { requirement: "required" });
  expect(now).toMatchObject({ state: "enforced", enforceAfter: null });
  expect((await stack.api.session(token)).problem.reason).toBe("policy_required");
});

test("optional cancels a roll-out: its date comes and nothing happens", async () => {
  const { admin, member } = await newAccount();
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 14 } });
  const answer = await putPolicy(await tokenOf(admin), { requirement: "optional" });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ state: "optional", enforceAfter: null });
  await until(
    () => rolloutState(admin, 1),
    (state) => state === "canceled",
  );
  await stack.advance(14 * DAY_MS - MINUTE_MS);
  const { token } = await logInByPassword(stack, member);
  await stack.advance(MINUTE_MS);
  const login = (await stack.api.logIn(member)).body;
  expect(login.status).toBe("authenticated");
  expect(login).not.toHaveProperty("multiFactorRequiredFrom");
  expect((await stack.api.session(token)).status).toBe(200);
});

test("optional after the enforcement lets everyone in again", async () => {
  const { admin, member } = await newAccount();
  const token = await enrollApp(admin);
  await putPolicy(token, { requirement: "required" });
  expect((await logInByPassword(stack, member)).scope).toBe("mfa_setup");
  expect((await putPolicy(token, { requirement: "optional" })).body.state).toBe("optional");
  expect((await logInByPassword(stack, member)).scope).toBe("full");
});

test("of two administrators at once one wins, and the other is told", async () => {
  const { admin, other } = await newAccount();
  const tokens = [await enrollApp(admin), await enrollApp(other)];
  const answers = await Promise.all([
    putPolicy(tokens[0] as string, { requirement: "required", enforceAfter: { days: 7 } }),
    putPolicy(tokens[1] as string, { requirement: "required", enforceAfter: { days: 30 } }),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
  const loser = answers.find(({ status }) => status === 409);
  expect(loser?.problem.code).toBe("policy_conflict");
  const winner = answers.find(({ status }) => status === 202)?.body;
  const { youMustSetUp: _, ...policy } = (await getPolicy(tokens[0] as string)).body;
  expect(policy).toMatchObject({
    state: "grace_period",
    enforceAfter: winner?.enforceAfter,
    startedBy: winner?.startedBy,
  });
});

test("the same request twice at once makes one change", async () => {
  const { admin } = await newAccount();
  const token = await enrollApp(admin);
  const body = { requirement: "required", enforceAfter: { days: 7 } };
  const answers = await Promise.all([putPolicy(token, body), putPolicy(token, body)]);
  expect(answers[0]?.body).toEqual(answers[1]?.body);
  const path = "/v1/account/activity?type=policy_changed";
  expect((await stack.api.call<Page>("GET", path, { token })).body.events).toHaveLength(1);
});

test("a change that comes after the roll-out of its version has ended is refused, and hides nothing", async () => {
  const { flows } = stack.deps;
  const admin = await stack.createUser({ role: "administrator" });
  const token = await enrollApp(admin);
  expect((await putPolicy(token, { requirement: "required" })).body.state).toBe("completed");
  const rollout = { userId: admin.id, accountId: admin.accountId, version: 1 };
  await flows.startPolicyRollout(rollout);
  const asked = { enforceAfter: null, graceMs: 0, actorId: admin.id, origin: {} };
  const change = { requirement: "optional", ...asked } as const;
  const { view } = await flows.movePolicyRollout(rollout, "announce", change);
  expect(view.state).toBe("conflicted");
  expect((await getPolicy(token)).body).toMatchObject({
    requirement: "required",
    state: "completed",
  });
});

test("a gateway that died before its announcement blocks nobody", async () => {
  const { admin } = await newAccount();
  const rollout = { userId: admin.id, accountId: admin.accountId, version: 1 };
  await stack.deps.flows.startPolicyRollout(rollout);
  expect(await rolloutState(admin, 1)).toBe("drafted");
  await stack.advance(MINUTE_MS);
  await until(
    () => rolloutState(admin, 1),
    (state) => state === "abandoned",
  );
  expect((await changeAs(admin, { requirement: "required" })).state).toBe("enforced");
});

test("the account's activity shows what was changed, when it was enforced, and by whom", async () => {
  const { admin } = await newAccount();
  const token = await enrollApp(admin);
  await putPolicy(token, { requirement: "required" });
  const page = (await stack.api.call<Page>("GET", "/v1/account/activity", { token })).body;
  const workflowId = workflowIds.policyRollout(admin.accountId, 1);
  expect(page.events.slice(0, 2)).toMatchObject([
    { type: "policy_enforced", actorId: null, userId: null, workflowId, detail: { toGo: 2 } },
    {
      type: "policy_changed",
      actorId: admin.id,
      userId: null,
      workflowId,
      detail: { requirement: "required", enforceAfter: null, version: 1 },
    },
  ]);
});

test("the history of a roll-out replays on today's code", async () => {
  const workflowBundle = await bundle();
  const { admin, other, member } = await newAccount();
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 14 } });
  await changeAs(admin, { requirement: "required", enforceAfter: { days: 7 } });
  await stack.advance(8 * DAY_MS);
  for (const user of [admin, other, member]) await enrollApp(user);
  await stack.advance(DAY_MS);
  for (const [version, state] of [
    [1, "superseded"],
    [2, "completed"],
  ] as const) {
    await until(
      () => rolloutState(admin, version),
      (is) => is === state,
    );
    const workflowId = workflowIds.policyRollout(admin.accountId, version);
    const history = await stack.temporal.client.workflow.getHandle(workflowId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
  }
});

test("an impossible policy is refused, and nothing begins", async () => {
  const { admin } = await newAccount();
  const token = await tokenOf(admin);
  const past = new Date(stack.clock.now() - 1).toISOString();
  const now = new Date(stack.clock.now()).toISOString();
  for (const body of [
    {},
    { requirement: "sometimes" },
    { requirement: "required", enforceAfter: past },
    { requirement: "required", enforceAfter: now },
    { requirement: "required", enforceAfter: "2025-12-31" },
    { requirement: "required", enforceAfter: "soon" },
    { requirement: "required", enforceAfter: "2026-02-30" },
    { requirement: "required", enforceAfter: "2026-13-01T00:00:00Z" },
    { requirement: "required", enforceAfter: "9999-01-01" },
    { requirement: "required", enforceAfter: 14 },
    { requirement: "required", enforceAfter: {} },
    { requirement: "required", enforceAfter: { days: 0 } },
    { requirement: "required", enforceAfter: { days: -1 } },
    { requirement: "required", enforceAfter: { days: 1.5 } },
    { requirement: "required", enforceAfter: { days: 366 } },
    { requirement: "required", enforceAfter: { days: 7, date: "2026-03-01" } },
    { requirement: "optional", enforceAfter: { days: 7 } },
    { requirement: "required", accountId: "another" },
  ]) {
    const { problem } = await putPolicy(token, body);
    expect(problem.code, JSON.stringify(body)).toBe("invalid_request");
    expect(problem.errors?.length, JSON.stringify(body)).toBeGreaterThan(0);
  }
  expect((await getPolicy(token)).body).toMatchObject({ state: "optional", startedBy: null });
});

test("attack: members, Support and strangers cannot see or change a policy", async () => {
  const { admin, member } = await newAccount();
  const support = await loggedIn(stack, "support", admin.accountId);
  for (const token of [await tokenOf(member), support.token]) {
    expect((await getPolicy(token)).problem.code).toBe("forbidden");
    expect((await putPolicy(token, { requirement: "required" })).problem.code).toBe("forbidden");
  }
  const elsewhere = await newAccount();
  await changeAs(elsewhere.admin, { requirement: "required" });
  expect((await getPolicy(await tokenOf(admin))).body.requirement).toBe("optional");
});

test("attack: an administrator's session twenty minutes old changes no policy", async () => {
  const { admin } = await newAccount();
  const token = await tokenOf(admin);
  await stack.advance(20 * MINUTE_MS);
  const { problem } = await putPolicy(token, { requirement: "required" });
  expect(problem.code).toBe("reauthentication_required");
});

test("where no address is known to bind keys to, none can be required", async () => {
  const token = await tokenOf(await stack.createUser({ role: "administrator" }));
  const { problem } = await putPolicy(token, { requirement: "phishing_resistant" });
  expect(problem.code).toBe("webauthn_unavailable");
  expect((await getPolicy(token)).body.requirement).toBe("optional");
});
