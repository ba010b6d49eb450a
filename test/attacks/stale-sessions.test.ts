// I had the password for an hour and logged in with it. Then the owner set up a second factor, the
// account began to require one, or I lost my role. I still have my session: what can it do?
import { describe, expect, test } from "vitest";
import type { listAudit } from "../../core/audit.ts";
import { giveDevices } from "../e2e/paths/people.ts";
import { codeAt, logInByApp, registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import type { Call } from "../support/client.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, pinSent, startChallenge } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

const verify = (token: string, id: string, body: object) =>
  stack.api.call("POST", `/v1/me/devices/${id}/verify`, { token, body });

/** The owner and a thief, each logged in with the password. */
async function ownerAndThief() {
  const user = await stack.createUser();
  const [owner, thief] = [await logInByPassword(stack, user), await logInByPassword(stack, user)];
  return { user, owner: owner.token, thief: thief.token };
}

describe("a session by password alone, once the owner has a second factor", () => {
  test("has ended, whether the owner was logged out or stayed logged in", async () => {
    for (const makeDefault of [true, false]) {
      const { owner, thief } = await ownerAndThief();
      await verifiedApp(stack, owner, makeDefault);
      const { reason } = expectProblem(await stack.api.session(thief), "session_revoked");
      expect(reason).toBe("device_verified");
      expect((await stack.api.session(owner)).status).toBe(makeDefault ? 401 : 200);
    }
  });

  test("cannot verify the app or the phone that it had registered before", async () => {
    const { user, owner, thief } = await ownerAndThief();
    const app = await registerApp(stack, thief, "Eve's");
    const phone = newPhone();
    const { id } = (await stack.api.registerPhone(thief, phone)).body;
    const pin = await stack.pinTo(phone.e164);
    await pinSent(stack, thief, id);
    const { secret } = await verifiedApp(stack, owner, false);

    const code = codeAt(app.secret, stack.clock.now());
    expectProblem(await verify(thief, app.device.id, { code }), "session_revoked");
    expectProblem(await verify(thief, id, { code: pin }), "session_revoked");
    const { token } = await logInByApp(stack, user, secret);
    const { devices } = (await stack.api.multiFactor(token)).body;
    expect(devices.filter(({ verified }) => verified)).toHaveLength(1);
  });

  test("of two sessions that verify an app at once, one is left: none stays beside the owner's", async () => {
    const { owner, thief } = await ownerAndThief();
    const apps = await Promise.all([owner, thief].map((token) => registerApp(stack, token)));
    const answers = await Promise.all(
      [owner, thief].map((token, n) => {
        const { device, secret } = apps[n] as (typeof apps)[0];
        const code = codeAt(secret, stack.clock.now());
        return verify(token, device.id, { code, makeDefault: false });
      }),
    );
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const [winner = "", loser = ""] = won === 0 ? [owner, thief] : [thief, owner];
    expect((await stack.api.session(winner)).body.amr).toContain("mfa");
    expectProblem(await stack.api.session(loser), "session_revoked");
    // The other person's app cannot answer a login either.
    const { devices } = (await stack.api.multiFactor(winner)).body;
    const verified = devices.filter(({ verified }) => verified);
    expect(verified.map(({ id }) => id)).toEqual([apps[won]?.device.id]);
  });

  test("cannot verify its own app if the owner's app is verified first", async () => {
    const { user, owner, thief } = await ownerAndThief();
    const app = await registerApp(stack, thief, "Eve's");
    const { flows } = stack.deps;
    // After all checks, but before the workflow gets the Update, the owner's app is verified.
    const slow = gatewayOver(stack, {
      flows: {
        ...flows,
        async moveEnrollment(...args: Parameters<typeof flows.moveEnrollment>) {
          await verifiedApp(stack, owner, false);
          return flows.moveEnrollment(...args);
        },
      } as typeof flows,
    });
    const code = codeAt(app.secret, stack.clock.now());
    const late = await slow.call("POST", `/v1/me/devices/${app.device.id}/verify`, {
      token: thief,
      body: { code, makeDefault: true },
    });
    expectProblem(late, "device_not_found");
    const { devices } = (await stack.api.multiFactor(owner)).body;
    expect(devices.map(({ name, verified }) => [name, verified])).toEqual([["App", true]]);
    expect((await startChallenge(stack, user)).methods).toEqual(["otp"]);
  });

  test("changes no factor, password or address between a device's verification and its own end", async () => {
    const { user, thief } = await ownerAndThief();
    const { device, secret } = await registerApp(stack, thief, "Eve's");
    // Verifying a device first writes the device; the sessions end a moment later.
    await giveDevices(stack, user, ["otp"], "otp");
    expect((await stack.api.session(thief)).status).toBe(200);
    const code = codeAt(secret, stack.clock.now());
    const tries: [method: string, path: string, body?: object][] = [
      ["POST", `/v1/me/devices/${device.id}/verify`, { code, makeDefault: false }],
      ["POST", `/v1/me/devices/${device.id}/verify`, { code, makeDefault: true }],
      ["POST", `/v1/me/devices/${device.id}/restart`],
      ["POST", "/v1/me/devices/otp", { name: "Another" }],
      ["POST", "/v1/me/devices/sms", { countryCode: "US", phoneNumber: newPhone().phoneNumber }],
      ["POST", "/v1/me/recovery-codes", { quantity: 1 }],
      ["PUT", "/v1/me/multi-factor/default-method", { method: "otp" }],
      ["DELETE", `/v1/me/devices/${device.id}`],
      ["DELETE", "/v1/me/devices"],
      ["PUT", "/v1/me/email", { email: "eve@example.org" }],
      ["PUT", "/v1/me/password", { currentPassword: user.password, password: "not yours now" }],
    ];
    for (const [method, path, body] of tries)
      expectProblem(
        await stack.api.call(method, path, { token: thief, body }),
        "reauthentication_required",
      );
  });
});

test("a stolen session survives the removal of its app, but adds none once it is fifteen minutes old", async () => {
  const { user, secret, id } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  const stolen = await logInByApp(stack, user, secret);
  await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token });
  await stack.advance(15 * 60_000 + 1);
  const body = { name: "Eve's" };
  const added = await stack.api.call("POST", "/v1/me/devices/otp", { token: stolen.token, body });
  expectProblem(added, "reauthentication_required");
  const { sessions } = (await stack.api.sessions(token)).body;
  expect(sessions.map(({ id }) => id)).toContain(stolen.id);
  await stack.api.endSession((await logInByPassword(stack, user)).token, stolen.id);
  expectProblem(await stack.api.session(stolen.token), "session_revoked");
});

describe("a session older than fifteen minutes, of a user with an app that was never verified", () => {
  const restart = (token: string, id: string) =>
    stack.api.call("POST", `/v1/me/devices/${id}/restart`, { token });

  test("gets no new secret and verifies nothing, and so makes no codes and removes nothing", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const second = await registerApp(stack, token, "Second");
    await stack.advance(15 * 60_000 + 1);
    const before = (await stack.api.session(token)).body.authenticatedAt;
    expectProblem(await restart(token, second.device.id), "reauthentication_required");
    const code = codeAt(second.secret, stack.clock.now());
    const body = { code, makeDefault: false };
    expectProblem(await verify(token, second.device.id, body), "reauthentication_required");
    const codes = await stack.api.call("POST", "/v1/me/recovery-codes", { token, body: {} });
    expectProblem(codes, "reauthentication_required");
    expect((await stack.api.session(token)).body.authenticatedAt).toBe(before);
    const { devices } = (await stack.api.multiFactor(token)).body;
    expect(devices.find(({ id }) => id === second.device.id)?.verified).toBe(false);
  });

  test("is sent no PIN; a PIN from before asks for a login and works after it", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    await stack.advance(10 * 60_000);
    const phone = newPhone();
    const { id } = (await stack.api.registerPhone(token, phone)).body;
    const pin = await stack.pinTo(phone.e164);
    await pinSent(stack, token, id);
    await stack.advance(6 * 60_000);
    expectProblem(await stack.api.resendPin(token, id), "reauthentication_required");
    expectProblem(await verify(token, id, { code: pin }), "reauthentication_required");
    const again = await logInByPassword(stack, user);
    expect((await verify(again.token, id, { code: pin })).status).toBe(200);
  });

  test("does not count as newer because it verified an app in time", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    await stack.advance(14 * 60_000);
    await verifiedApp(stack, token, false);
    await stack.advance(60_000);
    const session = (await stack.api.session(token)).body;
    expect(session.amr).toContain("mfa");
    const codes = await stack.api.call("POST", "/v1/me/recovery-codes", { token, body: {} });
    expectProblem(codes, "reauthentication_required");
  });
});

describe("after a change by an administrator", () => {
  const administrators: [method: string, path: string, body?: object][] = [
    ["GET", "/v1/account/users"],
    ["GET", "/v1/account/activity"],
    ["GET", "/v1/account/multi-factor-policy"],
    ["PUT", "/v1/account/multi-factor-policy", { requirement: "optional" }],
    ["POST", "/v1/account/users", { username: "eve", password: "long enough" }],
  ];

  test("the session of a former administrator can do none of it", async () => {
    const chief = await stack.createUser({ role: "administrator" });
    const { accountId } = chief;
    const former: Person = await stack.createUser({ accountId, role: "administrator" });
    const [above, below] = [
      await logInByPassword(stack, chief),
      await logInByPassword(stack, former),
    ];
    const body = { role: "member" };
    const path = `/v1/account/users/${former.id}/role`;
    expect((await stack.api.call("PUT", path, { token: above.token, body })).status).toBe(200);
    for (const [method, path, body] of administrators)
      expectProblem(
        await stack.api.call(method, path, { token: below.token, body } satisfies Call),
        "session_revoked",
      );
    const again = await logInByPassword(stack, former);
    for (const [method, path, body] of administrators)
      expectProblem(await stack.api.call(method, path, { token: again.token, body }), "forbidden");
  });

  test("of a hundred sessions by password none is left once the account requires more", async () => {
    const chief = await stack.createUser({ role: "administrator" });
    const user = await stack.createUser({ accountId: chief.accountId });
    const tokens = [];
    for (let n = 0; n < 10; n++)
      tokens.push(
        ...(await Promise.all(Array.from({ length: 10 }, () => logInByPassword(stack, user)))),
      );
    const { token } = await logInByPassword(stack, chief);
    const body = { requirement: "required" };
    const changed = await stack.api.call("PUT", "/v1/account/multi-factor-policy", { token, body });
    expect(changed.status).toBe(202);
    for (const session of tokens) {
      const { reason } = expectProblem(await stack.api.session(session.token), "session_revoked");
      expect(reason).toBe("policy_required");
    }
    const set = await logInByPassword(stack, user);
    expect(set.scope).toBe("mfa_setup");
    type Page = Awaited<ReturnType<typeof listAudit>>;
    const activityOf = stack.api.call<Page>("GET", "/v1/me/activity", { token: set.token });
    expectProblem(await activityOf, "setup_only");
  });
});
