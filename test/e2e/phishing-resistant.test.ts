import { describe, expect, test } from "vitest";
import type { Policy } from "../../core/account/policy.ts";
import type { PolicyRequest } from "../../core/account/roll-out.ts";
import { changeUserRequirement } from "../../core/account/user-requirement.ts";
import type { AccountUser } from "../../core/account/users.ts";
import type { listAudit } from "../../core/audit.ts";
import { sessionOf } from "../../core/sessions/live-session.ts";
import { getUser, setRequirement } from "../../store/postgres/users.ts";
import { DAY_MS } from "../../units.ts";
import { eventOf } from "../store/postgres/database.ts";
import { codeAt, logInByApp, supportOperator, verifiedApp } from "../support/apps.ts";
import {
  KEY_SETTINGS,
  keyCalls,
  logInByKey,
  logInByPasskey,
  newKey,
  userWithKey,
  verifiedKey,
} from "../support/keys.ts";
import type { Person } from "../support/people.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, logInBySms, startChallenge } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const PATH = "/v1/account/multi-factor-policy";
const KEY = "phishing_resistant";

const stack = useStack({ time: "skipping", environment: KEY_SETTINGS });

const putPolicy = (token: string, body: PolicyRequest) =>
  stack.api.call<Policy>("PUT", PATH, { token, body });
const getPolicy = async (token: string) =>
  (await stack.api.call<Policy>("GET", PATH, { token })).body;
const reasonOf = async (token: string) => (await stack.api.session(token)).problem?.reason;
const isLive = async (token: string) => (await stack.api.session(token)).status === 200;

/** An account whose administrator has a key. */
async function keyAccount() {
  const { user: admin, key } = await userWithKey(stack, newKey(), { role: "administrator" });
  const { accountId } = admin;
  return {
    ...{ admin, accountId },
    /** Changes the policy after a new login. */
    change: async (body: PolicyRequest) =>
      (await putPolicy((await logInByKey(stack, admin, key)).token, body)).body,
    logIn: async () => (await logInByKey(stack, admin, key)).token,
    member: () => stack.createUser({ accountId }),
    memberWithApp: async () => {
      const user = await stack.createUser({ accountId });
      const { token } = await logInByPassword(stack, user);
      return { user, ...(await verifiedApp(stack, token, true)) };
    },
    memberWithKey: () => userWithKey(stack, newKey(), { accountId }),
    /** A member with an app, a key, and the recovery codes that they made. */
    async memberWithBoth() {
      const user = await stack.createUser({ accountId });
      const { token } = await logInByPassword(stack, user);
      const app = await verifiedApp(stack, token, false);
      const { key, id } = await verifiedKey(stack, token, { makeDefault: false });
      const made = await stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", {
        token,
      });
      return { user, app, key, keyId: id, token, codes: made.body.codes };
    },
  };
}

/** Logs in by app while a key is required of a user who has none. */
async function setUpByApp(user: Person, secret: string) {
  const session = await logInByApp(stack, user, secret);
  expect(session.scope).toBe("mfa_setup");
  return session;
}

test("enforced at once: sessions without a key end, those with one stay", async () => {
  const account = await keyAccount();
  const { user, secret } = await account.memberWithApp();
  const byApp = (await logInByApp(stack, user, secret)).token;
  const byPassword = (await logInByPassword(stack, await account.member())).token;
  const { user: keyed, key } = await account.memberWithKey();
  const byKey = (await logInByKey(stack, keyed, key)).token;
  const byPasskey = (await logInByPasskey(stack, key)).body.session.token;
  const policy = await account.change({ requirement: KEY });
  expect(policy).toMatchObject({
    ...{ requirement: KEY, enforceAfter: null, state: "enforced" },
    users: { total: 4, configured: 2, toGo: 2, withoutDevice: 1, withoutKey: 2 },
    ...{ youMustSetUp: false, youMustAddKey: false },
  });
  for (const token of [byApp, byPassword]) expect(await reasonOf(token)).toBe("key_required");
  expect((await stack.api.session(byApp)).problem.detail).toBe(
    "A security key or passkey is now required. Log in with yours, or log in to add one.",
  );
  for (const token of [byKey, byPasskey]) expect(await isLive(token)).toBe(true);
});

test("an administrator without a key is warned, and treated like everyone else", async () => {
  const user = await stack.createUser({ role: "administrator" });
  const { secret } = await verifiedApp(stack, (await logInByPassword(stack, user)).token, true);
  const { token } = await logInByApp(stack, user, secret);
  expect(await getPolicy(token)).toMatchObject({ youMustSetUp: false, youMustAddKey: true });
  const changed = await putPolicy(token, { requirement: KEY });
  expect(changed.body).toMatchObject({ youMustSetUp: false, youMustAddKey: true });
  expect(await reasonOf(token)).toBe("key_required");
  await setUpByApp(user, secret);
});

describe("after the enforcement", () => {
  test("a user with a key is offered only the key; any other factor is refused and costs nothing", async () => {
    const account = await keyAccount();
    const { user, app, key, codes } = await account.memberWithBoth();
    // Opened before the enforcement, which says so in no grace period.
    const before = await startChallenge(stack, user);
    expect(before).toMatchObject({ methods: ["webauthn", "otp"], takesRecoveryCode: true });
    await account.change({ requirement: KEY });
    const after = await startChallenge(stack, user);
    expect(after).toMatchObject({ methods: ["webauthn"], takesRecoveryCode: false });
    const right = [codeAt(app.secret, stack.clock.now()), codes[0] ?? ""];
    // The challenge from before learns of the enforcement when a right code would open a session.
    const typed = { [before.id]: right, [after.id]: [...right, "000000", "0000000"] };
    for (const { id } of [before, after]) {
      const { attemptsRemaining } = (await stack.api.challenge(id)).body;
      for (const passcode of typed[id] ?? [])
        expectProblem(await stack.api.verifyPasscode(id, passcode), "key_required");
      expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(attemptsRemaining);
      const calls = keyCalls(stack.api);
      const { options } = (await calls.options(id)).body;
      const { session } = (await calls.answer(id, key.get(options))).body;
      expect(session.scope).toBe("full");
      expect(await isLive(session.token)).toBe(true);
    }
  });

  test("a user without a key is led through its set-up by any factor, then logs in with it", async () => {
    const account = await keyAccount();
    const { user, secret } = await account.memberWithApp();
    const opened = await startChallenge(stack, user);
    await account.change({ requirement: KEY });
    await stack.advance(30_000);
    const code = codeAt(secret, stack.clock.now());
    const answered = (await stack.api.verifyPasscode(opened.id, code)).body;
    expect(answered).toMatchObject({ status: "setup_required", session: { scope: "mfa_setup" } });
    expect(await isLive(answered.session.token)).toBe(true);

    const { token } = await setUpByApp(user, secret);
    expectProblem(await stack.api.call("GET", "/v1/sessions", { token }), "setup_only");
    const { key, signedOut } = await verifiedKey(stack, token, { makeDefault: false });
    expect(signedOut).toBe(true);
    expect((await logInByKey(stack, user, key)).scope).toBe("full");
    expectProblem(
      await stack.api.verifyPasscode(
        (await startChallenge(stack, user)).id,
        codeAt(secret, stack.clock.now()),
      ),
      "key_required",
    );
  });

  test("a passcode by SMS leads to the set-up too, and so does a password of a user without a device", async () => {
    const account = await keyAccount();
    const bare = await account.member();
    const user = await account.member();
    const { e164 } = await enrollPhone(stack, user);
    await account.change({ requirement: KEY });
    const session = await logInBySms(stack, user, e164);
    expect(session.scope).toBe("mfa_setup");
    const { key } = await verifiedKey(stack, session.token);
    expect((await logInByKey(stack, user, key)).scope).toBe("full");
    const first = await logInByPassword(stack, bare);
    expect(first.scope).toBe("mfa_setup");
    const body = { name: "App" };
    const app = stack.api.call("POST", "/v1/me/devices/otp", { token: first.token, body });
    expectProblem(await app, "key_required");
  });

  test("losing the last key ends every session, although another device is left", async () => {
    const account = await keyAccount();
    const { user, app, key, keyId } = await account.memberWithBoth();
    await account.change({ requirement: KEY });
    const { token } = await logInByKey(stack, user, key);
    const other = (await logInByKey(stack, user, key)).token;
    const spare = await verifiedKey(stack, token, { makeDefault: false });
    const remove = (id: string) => stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
    expect((await remove(spare.id)).status).toBe(204);
    // Any key may have opened it.
    expect(await reasonOf(other)).toBe("key_removed");
    const another = (await logInByKey(stack, user, key)).token;
    await remove(keyId);
    for (const one of [token, another]) expect(await reasonOf(one)).toBe("key_required");
    await setUpByApp(user, app.secret);
  });

  test("in a set-up, removing a key that was never verified ends nothing", async () => {
    const account = await keyAccount();
    const { user, secret } = await account.memberWithApp();
    await account.change({ requirement: KEY });
    const { token } = await setUpByApp(user, secret);
    const { device } = (await keyCalls(stack.api).register(token)).body;
    await stack.api.call("DELETE", `/v1/me/devices/${device.id}`, { token });
    expect(await isLive(token)).toBe(true);
  });

  test("Support's reset of a user who lost their key leads to a set-up again", async () => {
    const account = await keyAccount();
    const { user } = await account.memberWithKey();
    await account.change({ requirement: KEY });
    const { token } = await supportOperator(stack);
    const path = `/v1/support/users/${user.id}/reset-multi-factor`;
    await stack.api.call("POST", path, { token, body: { reason: "Ticket 7" } });
    const session = await logInByPassword(stack, user);
    expect(session.scope).toBe("mfa_setup");
    const { key } = await verifiedKey(stack, session.token);
    expect((await logInByKey(stack, user, key)).scope).toBe("full");
  });

  test("an exempt user is not asked for a key; when the exemption ends, sessions without one do too", async () => {
    const account = await keyAccount();
    const { user, secret } = await account.memberWithApp();
    const { user: keyed, app, key } = await account.memberWithBoth();
    for (const { id: userId } of [user, keyed])
      await setRequirement(
        stack.deps.db,
        { userId, requirement: "optional" },
        eventOf({ id: userId, accountId: account.accountId }),
      );
    const policy = await account.change({ requirement: KEY });
    expect(policy).toMatchObject({ state: "completed", users: { configured: 2, toGo: 0 } });
    const { token, scope } = await logInByApp(stack, user, secret);
    expect(scope).toBe("full");
    const weak = (await logInByApp(stack, keyed, app.secret)).token;
    const strong = (await logInByKey(stack, keyed, key)).token;
    const opened = await startChallenge(stack, keyed);
    await endExemption(account, user);
    await endExemption(account, keyed);
    for (const one of [token, weak]) expect(await reasonOf(one)).toBe("key_required");
    expect(await isLive(strong)).toBe(true);
    await stack.advance(30_000);
    const code = codeAt(app.secret, stack.clock.now());
    expectProblem(await stack.api.verifyPasscode(opened.id, code), "challenge_expired");
    await setUpByApp(user, secret);
  });

  /** As the Identity API does for an administrator. */
  async function endExemption({ logIn }: { logIn(): Promise<string> }, { id }: Person) {
    const session = await sessionOf(stack.deps, await logIn());
    const user = await getUser(stack.deps.db, id);
    if (user) await changeUserRequirement(stack.deps, session, user, null, {});
  }
});

describe("during the grace period", () => {
  const soon = { requirement: KEY, enforceAfter: { days: 14 } } as const;

  test("attack: nobody logs in by password alone because a stricter policy was announced", async () => {
    const account = await keyAccount();
    const users = [await account.member(), await account.member()];
    const weak = (await logInByPassword(stack, users[0] as Person)).token;
    await account.change({ requirement: "required" });
    expect(await reasonOf(weak)).toBe("policy_required");
    await account.change(soon);
    expect(await isLive(weak)).toBe(false);
    const announced = async () => {
      for (const user of users)
        expect((await logInByPassword(stack, user)).scope).toBe("mfa_setup");
    };
    await announced();
    // Extending it, or going back to any factor, asks for no less.
    await account.change({ requirement: KEY, enforceAfter: { days: 30 } });
    await announced();
    await account.change({ requirement: "required", enforceAfter: { days: 30 } });
    await announced();
    await account.change({ requirement: KEY });
    await account.change(soon);
    await announced();
  });

  test("an account without a requirement asks for nothing until its end", async () => {
    const account = await keyAccount();
    const user = await account.member();
    await account.change(soon);
    const session = await logInByPassword(stack, user);
    expect(session.scope).toBe("full");
    await account.change({ requirement: "required", enforceAfter: { days: 3 } });
    expect(await isLive(session.token)).toBe(true);
    await account.change({ requirement: "optional" });
    expect(await isLive(session.token)).toBe(true);
  });

  test("users without a key are reminded of a key; at its end their sessions end", async () => {
    const account = await keyAccount();
    const { user, secret } = await account.memberWithApp();
    const { user: keyed, key } = await account.memberWithKey();
    const end = new Date(stack.clock.now() + 14 * DAY_MS).toISOString();
    const policy = await account.change({ requirement: KEY, enforceAfter: end });
    expect(policy).toMatchObject({ state: "grace_period", users: { configured: 2, toGo: 1 } });
    const { token: before } = await logInByApp(stack, user, secret);
    const mine = await stack.api.call<{ keyRequiredFrom: string }>("GET", "/v1/me/multi-factor", {
      token: before,
    });
    expect(mine.body.keyRequiredFrom).toBe(end);
    await stack.advance(11 * DAY_MS + 60_000);
    const activity = (token: string) =>
      stack.api.call<Awaited<ReturnType<typeof listAudit>>>(
        "GET",
        "/v1/me/activity?type=multi_factor_reminder",
        { token },
      );
    const { token } = await logInByApp(stack, user, secret);
    const reminded = await until(
      () => activity(token),
      ({ body }) => body.events.length > 0,
    );
    expect(reminded.body.events[0]?.detail).toEqual({ requiredFrom: end, requirement: KEY });
    const strong = (await logInByKey(stack, keyed, key)).token;
    expect((await activity(strong)).body.events).toEqual([]);

    await stack.advance(3 * DAY_MS - 600_000);
    const [weak, safe] = [
      (await logInByApp(stack, user, secret)).token,
      (await logInByKey(stack, keyed, key)).token,
    ];
    await stack.advance(600_000);
    await until(
      () => reasonOf(weak),
      (reason) => reason === "key_required",
    );
    expect(await isLive(safe)).toBe(true);
    await until(
      async () => (await getPolicy(await account.logIn())).state,
      (state) => state === "enforced",
    );
    // The last user sets up a key, and the roll-out ends.
    const session = await setUpByApp(user, secret);
    await verifiedKey(stack, session.token);
    expect(await getPolicy(await account.logIn())).toMatchObject({
      state: "completed",
      users: { configured: 3, toGo: 0 },
    });
  });

  test("a challenge opened before its end and answered after it gives no full session", async () => {
    const account = await keyAccount();
    const { user, secret } = await account.memberWithApp();
    const { user: both, app } = await account.memberWithBoth();
    const end = stack.clock.now() + 30 * 60_000;
    await account.change({ requirement: KEY, enforceAfter: new Date(end).toISOString() });
    await stack.advance(end - 60_000 - stack.clock.now());
    const weak = await startChallenge(stack, user);
    const own = await startChallenge(stack, both);
    await stack.advance(120_000);
    const now = stack.clock.now();
    const answer = await stack.api.verifyPasscode(weak.id, codeAt(secret, now));
    expect(answer.body.session.scope).toBe("mfa_setup");
    expect(await isLive(answer.body.session.token)).toBe(true);
    const refused = await stack.api.verifyPasscode(own.id, codeAt(app.secret, now));
    expectProblem(refused, "key_required");
  });
});

test("administrators see who has only one key, or none", async () => {
  const account = await keyAccount();
  const { user, key } = await account.memberWithKey();
  const { token: theirs } = await logInByKey(stack, user, key);
  await verifiedKey(stack, theirs, { makeDefault: false });
  const { user: weak } = await account.memberWithApp();
  await account.change({ requirement: KEY });
  const token = await account.logIn();
  const list = async (query: string) =>
    (
      await stack.api.call<{ users: AccountUser[] }>("GET", `/v1/account/users${query}`, { token })
    ).body.users.map(({ id, keys }) => [id, keys]);
  const all = [
    [account.admin.id, 1],
    [user.id, 2],
    [weak.id, 0],
  ];
  expect((await list("")).sort()).toEqual(all.toSorted());
  const risky = all.filter(([, keys]) => keys !== 2).toSorted();
  expect((await list("?atRisk=true")).sort()).toEqual(risky);
  expect(await list("?atRisk=false")).toHaveLength(3);
});

test("login by a passkey alone can be turned off; sessions stay, and it is recorded", async () => {
  const account = await keyAccount();
  const { user, key } = await account.memberWithKey();
  const running = (await logInByPasskey(stack, key)).body.session.token;
  const path = "/v1/account/passkey-login";
  const put = (token: string, body: object) => stack.api.call("PUT", path, { token, body });
  const token = await account.logIn();
  expect((await stack.api.call("GET", path, { token })).body).toEqual({ allowed: true });
  const member = (await logInByKey(stack, user, key)).token;
  expectProblem(await put(member, { allowed: false }), "forbidden");
  expectProblem(await put(token, { allowed: "no" }), "invalid_request");
  expect((await put(token, { allowed: false })).body).toEqual({ allowed: false });
  expectProblem(await logInByPasskey(stack, key), "passkey_login_off");
  expect(await isLive(running)).toBe(true);
  expect((await logInByKey(stack, user, key)).scope).toBe("full");
  await stack.advance(16 * 60_000);
  expectProblem(await put(token, { allowed: true }), "reauthentication_required");
  const again = await account.logIn();
  await put(again, { allowed: true });
  await put(again, { allowed: true });
  expect((await logInByPasskey(stack, key)).status).toBe(200);
  const activity = await stack.api.call<Awaited<ReturnType<typeof listAudit>>>(
    "GET",
    "/v1/account/activity?type=account_setting_changed",
    { token: again },
  );
  expect(activity.body.events.map(({ detail, actorId }) => [detail, actorId])).toEqual([
    [{ setting: "passkey-login", state: "on" }, account.admin.id],
    [{ setting: "passkey-login", state: "off" }, account.admin.id],
  ]);
});
