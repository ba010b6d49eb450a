import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { getAccount, setPolicy } from "../../../store/postgres/accounts.ts";
import { MINUTE_MS } from "../../../units.ts";
import { codeAt, logInByApp, userWithApp } from "../../support/apps.ts";
import type { Person } from "../../support/people.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
} from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

describe("attack: using another user's session", () => {
  test("a session cannot be ended by another user, who learns nothing about it", async () => {
    const ann = await logInByPassword(stack, await stack.createUser());
    const eve = await logInByPassword(stack, await stack.createUser());
    const foreign = await stack.api.endSession(eve.token, ann.id);
    const missing = await stack.api.endSession(eve.token, newId() + "0".repeat(24));
    expectProblem(foreign, "session_not_found");
    expect(foreign.text).toBe(missing.text);
    expect((await stack.api.session(ann.token)).body.id).toBe(ann.id);
    expect((await stack.api.sessions(eve.token)).body.sessions).toHaveLength(1);
  });

  test("a token with a changed secret, another's secret or extra characters opens nothing", async () => {
    const ann = await logInByPassword(stack, await stack.createUser());
    const eve = await logInByPassword(stack, await stack.createUser());
    const [id, secret = ""] = ann.token.split(".");
    const [, eves] = eve.token.split(".");
    const flipped = (secret.startsWith("A") ? "B" : "A") + secret.slice(1);
    for (const forged of [flipped, eves, "", secret.slice(1), `${secret}.x`, `${secret}A`])
      expectProblem(await stack.api.session(`${id}.${forged}`), "unauthenticated");
    expect((await stack.api.session(ann.token)).status).toBe(200);
  });

  test("only the login shows the token", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const [, secret = ""] = token.split(".");
    for (const read of [stack.api.session, stack.api.sessions, stack.api.multiFactor])
      expect((await read(token)).text).not.toContain(secret);
  });
});

describe("a user's own sessions", () => {
  test("are listed with where they came from; the current one is marked", async () => {
    const user = await stack.createUser();
    const first = await logInByPassword(stack, user);
    const login = await stack.api.logIn(user, { headers: { "user-agent": "Browser/1.0" } });
    if (login.body.status !== "authenticated") throw new Error("There should be a session");
    const second = login.body.session;
    await logInByPassword(stack, await stack.createUser());

    const { sessions } = (await stack.api.sessions(second.token)).body;
    const mine = new Map(sessions.map((session) => [session.id, session]));
    expect([...mine.keys()].sort()).toEqual([first.id, second.id].sort());
    expect(mine.get(first.id)).toMatchObject({ current: false, amr: ["pwd"], scope: "full" });
    expect(mine.get(second.id)).toMatchObject({ current: true, userAgent: "Browser/1.0" });
    expect((await stack.api.session(first.token)).body).toMatchObject({
      id: first.id,
      current: true,
      user: { id: user.id, username: user.username, role: "member", accountId: user.accountId },
    });
  });

  test("can be ended from another one, once", async () => {
    const user = await stack.createUser();
    const [here, there] = [await logInByPassword(stack, user), await logInByPassword(stack, user)];
    expect((await stack.api.endSession(here.token, there.id)).status).toBe(204);
    const ended = expectProblem(await stack.api.session(there.token), "session_revoked");
    expect(ended.reason).toBe("ended_by_user");
    expectProblem(await stack.api.endSession(here.token, there.id), "session_not_found");
    const { sessions } = (await stack.api.sessions(here.token)).body;
    expect(sessions.map(({ id }) => id)).toEqual([here.id]);
  });

  test("end by logging out, and every call with the token says so", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    expect((await stack.api.logOut(token)).status).toBe(204);
    const calls = [stack.api.session, stack.api.sessions, stack.api.multiFactor, stack.api.logOut];
    for (const call of calls)
      expect(expectProblem(await call(token), "session_revoked").reason).toBe("signed_out");
    expectProblem(await stack.api.registerPhone(token, newPhone()), "session_revoked");
  });

  test("end everywhere when a phone is verified; the next login by SMS has the only one", async () => {
    const user = await stack.createUser();
    const other = await logInByPassword(stack, user);
    const { e164 } = await enrollPhone(stack, user);
    const revoked = expectProblem(await stack.api.session(other.token), "session_revoked");
    expect(revoked.reason).toBe("device_verified");
    const session = await logInBySms(stack, user, e164);
    expect((await stack.api.sessions(session.token)).body.sessions).toHaveLength(1);
  });
});

describe("where the account requires a second factor", () => {
  async function userOfStrictAccount(enforceAfter: Date | null = null): Promise<Person> {
    const user = await stack.createUser();
    const { accountId } = user;
    const account = await getAccount(stack.deps.db, accountId);
    const version = account?.policyVersion ?? 0;
    await setPolicy(
      stack.deps.db,
      { accountId, requirement: "required", enforceAfter, version },
      { key: newId(), at: new Date(stack.clock.now()), type: "policy_changed", accountId },
    );
    return user;
  }

  test("a login without one opens a set-up session of fifteen minutes", async () => {
    const user = await userOfStrictAccount();
    const login = (await stack.api.logIn(user)).body;
    if (login.status !== "setup_required") throw new Error(`It answered ${login.status}`);
    const { session } = login;
    expect(session.scope).toBe("mfa_setup");
    expect(Date.parse(session.expiresAt) - stack.clock.now()).toBe(15 * MINUTE_MS);
    expectProblem(await stack.api.sessions(session.token), "setup_only");
    expectProblem(await stack.api.endSession(session.token, session.id), "setup_only");
    expect((await stack.api.multiFactor(session.token)).body).toMatchObject({
      required: true,
      enabled: false,
    });
    await stack.advance(15 * MINUTE_MS);
    const ended = expectProblem(await stack.api.session(session.token), "session_expired");
    expect(ended.reason).toBe("lifetime");
  });

  test("set-up can be left and taken up again, and ends with a login by the device", async () => {
    const user = await userOfStrictAccount();
    const phone = newPhone();
    const left = await logInByPassword(stack, user);
    const device = (await stack.api.registerPhone(left.token, phone)).body;
    const pin = await stack.pinTo(phone.e164);
    await stack.api.logOut(left.token);
    const resumed = await logInByPassword(stack, user);
    expect(resumed.scope).toBe("mfa_setup");
    const verified = await stack.api.verifyDevice(resumed.token, device.id, pin);
    expect(verified.body).toMatchObject({ signedOut: true, device: { verified: true } });
    const session = await logInBySms(stack, user, phone.e164);
    expect(session).toMatchObject({ scope: "full", amr: ["pwd", "sms", "mfa"] });
  });

  test("before the grace period ends, a login is a full one", async () => {
    const user = await userOfStrictAccount(new Date(stack.clock.now() + MINUTE_MS));
    expect((await logInByPassword(stack, user)).scope).toBe("full");
    await stack.advance(MINUTE_MS);
    expect((await logInByPassword(stack, user)).scope).toBe("mfa_setup");
  });
});

test("adding a device needs a login of the last fifteen minutes", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  await stack.advance(15 * MINUTE_MS + 1);
  expectProblem(await stack.api.registerPhone(token, newPhone()), "reauthentication_required");
  const fresh = await logInByPassword(stack, user);
  expect((await stack.api.registerPhone(fresh.token, newPhone())).status).toBe(201);
});

describe("ending all other sessions", () => {
  const endOthers = (token: string) =>
    stack.api.call<{ ended: number }>("DELETE", "/v1/sessions", { token });

  test("ends them and the open logins, keeps the one that asks, and is recorded once", async () => {
    const { user, secret } = await userWithApp(stack);
    const [mine, other] = [
      await logInByApp(stack, user, secret),
      await logInByApp(stack, user, secret),
    ];
    const challenge = await startChallenge(stack, user);
    expect((await endOthers(mine.token)).body).toEqual({ ended: 1 });
    expect((await stack.api.session(other.token)).problem).toMatchObject({
      code: "session_revoked",
      reason: "ended_by_user",
    });
    expect((await stack.api.session(mine.token)).body.current).toBe(true);
    await stack.advance(30_000);
    const code = codeAt(secret, stack.clock.now());
    expect((await stack.api.verifyPasscode(challenge.id, code)).status).toBeGreaterThanOrEqual(400);

    expect((await endOthers(mine.token)).body).toEqual({ ended: 0 });
    const activity = await stack.api.call<{ events: { type: string; detail: object }[] }>(
      "GET",
      "/v1/me/activity?type=other_sessions_ended",
      { token: mine.token },
    );
    expect(activity.body.events.map(({ detail }) => detail)).toEqual([{ ended: 1 }]);
  });

  test("attack: a session that was ended cannot end the one that ended it", async () => {
    const user = await stack.createUser();
    const [ended, live] = [await logInByPassword(stack, user), await logInByPassword(stack, user)];
    await endOthers(live.token);
    expectProblem(await endOthers(ended.token), "session_revoked");
    expect((await stack.api.session(live.token)).status).toBe(200);
  });
});
