import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { listDevices } from "../../../store/postgres/devices.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import { reactivateDevices } from "../../../store/postgres/inactive-devices.ts";
import { enrollPhone, startChallenge, wrongCode } from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { used } from "../../support/used.ts";
import { addApp, codeOf, logInByApp, proof } from "./apps.ts";
import { expectFault, startFace } from "./face.ts";

const face = used(startFace);

const change = (settings: object) => ({ "RAX-AUTH:multiFactor": settings });
const level = (to: string) => change({ userMultiFactorEnforcementLevel: to });

const put = (own: string, token: string, settings: object) =>
  face.call("PUT", own, { token, body: change(settings) });

/** An administrator with a token, and a user in the same domain. */
async function domain() {
  const admin = await face.createUser({ role: "administrator" });
  const user = await face.createUser({ accountId: admin.accountId });
  return { admin, user, own: face.own(user), token: await face.token(admin) };
}

/** A user with an app, and the token that verified it. */
async function withApp(accountId?: string) {
  const user = await face.createUser({ accountId });
  const own = face.own(user);
  const token = await face.token(user);
  return { user, own, token, app: await addApp(face, own, token) };
}

test("enabling needs a verified device; then it is on, and the factor can be chosen", async () => {
  const user = await face.createUser();
  const [own, token] = [face.own(user), await face.token(user)];
  expectFault(await put(own, token, { enabled: true }), "badRequest");
  expectFault(await put(own, token, { factorType: "SMS" }), "badRequest");
  await addApp(face, own, token);
  const enabled = await put(own, token, { enabled: true, factorType: "OTP" });
  expect([enabled.status, enabled.text]).toEqual([204, ""]);
  expect((await put(own, token, { enabled: true })).status).toBe(204);
  expect((await put(own, token, { factorType: "OTP" })).status).toBe(204);
  expectFault(await put(own, token, { enabled: true, factorType: "SMS" }), "badRequest");
  const read = await face.call("GET", `/users/${user.id}`, { token });
  expect(read.json.user).toMatchObject({
    "RAX-AUTH:multiFactorEnabled": true,
    "RAX-AUTH:multiFactorState": "ACTIVE",
    "RAX-AUTH:factorType": "OTP",
  });
});

test("disabling removes what `Remove all devices` removes, unless a second factor is required", async () => {
  const { user, own, token } = await withApp();
  await face.set(user.accountId, { requirement: "required" });
  expect(expectFault(await put(own, token, { enabled: false }), "forbidden")).toContain(
    "Your account requires multi-factor authentication",
  );
  await face.set(user.accountId, { requirement: "optional" });
  expect((await put(own, token, { enabled: false })).status).toBe(204);
  expect((await face.api.multiFactor(token)).body).toMatchObject({ enabled: false, devices: [] });
  expect((await face.firstStep(user)).status).toBe(200);
});

test("removing one's own devices ends the token where a second factor is required", async () => {
  const { user, own, token } = await withApp();
  await face.set(user.accountId, { requirement: "required" });
  expect((await face.call("DELETE", own, { token })).status).toBe(204);
  expectFault(await face.call("GET", `${own}/otp-devices`, { token }), "unauthorized");
  expectFault(await face.firstStep(user), "forbidden");
});

test("none or several groups of settings, or an unknown value, are refused", async () => {
  const { own, token } = await withApp();
  for (const settings of [
    ...[{}, { enabled: "true" }, { enabled: false, factorType: "OTP" }, { factorType: "otp" }],
    ...[{ enabled: true, unlock: true }, { unlock: false }, { enabled: true, extra: 1 }, []],
    ...[{ userMultiFactorEnforcementLevel: "required" }, { factorType: null }],
  ])
    expectFault(await put(own, token, settings), "badRequest");
});

test("a change of devices needs a recent login; the refusal has no challenge", async () => {
  const { user, own, token, app } = await withApp();
  await face.advance(16 * 60_000);
  for (const [method, path, body] of [
    ["PUT", own, change({ factorType: "OTP" })],
    ["PUT", own, change({ enabled: false })],
    ["DELETE", own],
    ["POST", `${own}/bypass-codes`, { "RAX-AUTH:bypassCodes": {} }],
    ["POST", `${own}/otp-devices`, { "RAX-AUTH:otpDevice": { name: "Another" } }],
  ] as const) {
    const answer = await face.call(method, path, { token, body });
    expect(expectFault(answer, "unauthorized")).toContain(
      "log in again: with a passkey, or with your password and your second step",
    );
  }
  const fresh = await logInByApp(face, user, app);
  expect((await put(own, fresh, { factorType: "OTP" })).status).toBe(204);
});

describe("an administrator of the domain", () => {
  test("can unlock a user but not themselves; nobody else can", async () => {
    const { admin, user, own, token } = await domain();
    const { e164 } = await enrollPhone(face, user);
    const { id } = await startChallenge(face, user);
    const passcode = await face.passcodeTo(e164);
    for (let n = 1; n <= 7; n++) await face.api.verifyPasscode(id, wrongCode(passcode, n));
    const read = async () => (await face.call("GET", `/users/${user.id}`, { token })).json.user;
    await until(read, (shown) => shown["RAX-AUTH:multiFactorState"] === "LOCKED");

    const colleague = await face.createUser({ accountId: admin.accountId });
    const member = await face.token(colleague);
    const stranger = await face.token(await face.createUser({ role: "administrator" }));
    expectFault(await put(own, member, { unlock: true }), "forbidden");
    expectFault(await put(own, stranger, { unlock: true }), "itemNotFound");
    expectFault(await put(face.own(admin), token, { unlock: true }), "forbidden");
    expect((await put(own, token, { unlock: true })).status).toBe(204);
    expect((await read())["RAX-AUTH:multiFactorState"]).toBe("ACTIVE");
    await face.sessionId(user);
    // Repeating the request gives the same answer.
    expect((await put(own, token, { unlock: true })).status).toBe(204);
  });

  test("can remove all of a user's devices, which ends the user's tokens", async () => {
    const { admin, token } = await domain();
    const other = await withApp(admin.accountId);
    expectFault(await face.call("DELETE", other.own, { token: "0".repeat(40) }), "unauthorized");
    const member = await face.token(await face.createUser({ accountId: admin.accountId }));
    expectFault(await face.call("DELETE", other.own, { token: member }), "forbidden");
    expect((await face.call("DELETE", other.own, { token })).status).toBe(204);
    const ended = await face.api.session(other.token);
    expect(ended.problem.reason).toBe("multi_factor_reset");
    expect((await face.firstStep(other.user)).status).toBe(200);

    const another = await withApp(admin.accountId);
    expect((await put(another.own, token, { enabled: false })).status).toBe(204);
    expect((await face.firstStep(another.user)).status).toBe(200);
    const events = await face.api.call<{ events: object[] }>("GET", "/v1/account/activity", {
      token,
    });
    expect(events.body.events).toContainEqual(
      expect.objectContaining({
        ...{ type: "multi_factor_reset", userId: another.user.id, actorId: admin.id },
        detail: expect.objectContaining({ reason: expect.stringContaining("Identity API") }),
      }),
    );
  });

  test("can change nobody with an old token or one without the second factor", async () => {
    const { admin, own, token } = await domain();
    await face.advance(16 * 60_000);
    expectFault(await face.call("DELETE", own, { token }), "unauthorized");
    const half = await face.token(admin);
    const whole = await face.token(admin);
    await addApp(face, face.own(admin), whole);
    expectFault(await face.call("DELETE", own, { token: half }), "unauthorized");
    expect((await face.call("DELETE", own, { token: whole })).status).toBe(204);
  });

  test("cannot change a Support operator of the same account", async () => {
    const { admin, token } = await domain();
    const support = await face.createUser({ accountId: admin.accountId, role: "support" });
    expectFault(await face.call("DELETE", face.own(support), { token }), "forbidden");
    expectFault(
      await face.call("PUT", face.own(support), { token, body: level("OPTIONAL") }),
      "forbidden",
    );
  });
});

describe("the enforcement level of one user", () => {
  test("REQUIRED overrides the domain's level and logs out a user without a second factor", async () => {
    const { user, own, token } = await domain();
    const theirs = await face.token(user);
    expect((await face.call("PUT", own, { token, body: level("REQUIRED") })).status).toBe(204);
    expect((await face.api.session(theirs)).problem.reason).toBe("policy_required");
    expectFault(await face.firstStep(user), "forbidden");
    // `/v1` requires the same.
    expect((await face.api.logIn(user)).body.status).toBe("setup_required");
    const shown = await face.call("GET", `/users/${user.id}`, { token });
    expect(shown.json.user["RAX-AUTH:userMultiFactorEnforcementLevel"]).toBe("REQUIRED");
    expect((await face.call("PUT", own, { token, body: level("DEFAULT") })).status).toBe(204);
    expect((await face.firstStep(user)).status).toBe(200);
  });

  test("REQUIRED logs out nobody who has a device: their tokens and open logins go on", async () => {
    const { user, own, token } = await domain();
    const app = await addApp(face, own, await face.token(user));
    const theirs = await logInByApp(face, user, app);
    expect((await face.call("PUT", own, { token, body: level("REQUIRED") })).status).toBe(204);
    expect((await face.api.session(theirs)).status).toBe(200);
    await logInByApp(face, user, app);
  });

  test("OPTIONAL exempts from the domain's level; users cannot give it to themselves", async () => {
    const { user, own, token } = await domain();
    const theirs = await face.token(user);
    expectFault(
      await face.call("PUT", own, { token: theirs, body: level("OPTIONAL") }),
      "forbidden",
    );
    await face.set(user.accountId, { requirement: "required" });
    expectFault(await face.firstStep(user), "forbidden");
    expect((await face.call("PUT", own, { token, body: level("OPTIONAL") })).status).toBe(204);
    const exempted = await face.token(user);
    expect((await face.call("PUT", own, { token, body: level("DEFAULT") })).status).toBe(204);
    // The exemption is over, and with it the session that it let in.
    expect((await face.api.session(exempted)).problem.reason).toBe("policy_required");
    expectFault(await face.firstStep(user), "forbidden");
  });
});

describe("bypass codes", () => {
  const codes = (body: object) => ({ "RAX-AUTH:bypassCodes": body });

  test("can be made by the user, work once as the passcode, and a new set voids the old one", async () => {
    const { user, own, token } = await withApp();
    const make = (body: object) => face.post(`${own}/bypass-codes`, codes(body), { token });
    const made = await make({ numberOfCodes: "5", validityDuration: "PT30M" });
    expect(made.status).toBe(200);
    const set = made.json["RAX-AUTH:bypassCodes"];
    expect(set).toEqual({ codes: expect.any(Array), validityDuration: "PT30M" });
    expect(new Set(set.codes).size).toBe(5);
    const [first, second] = set.codes;
    const answer = await face.secondStep(await face.sessionId(user, "OTPPASSCODE"), first);
    expect(answer.json.access.token["RAX-AUTH:authenticatedBy"]).toEqual(["PASSWORD", "PASSCODE"]);
    const again = await face.sessionId(user, "OTPPASSCODE");
    expectFault(await face.secondStep(again, first), "unauthorized");
    // Bypass codes are the recovery codes of `/v1`.
    expect((await face.api.multiFactor(token)).body.recoveryCodes).toEqual({ remaining: 4 });
    const [third] = (await make({ numberOfCodes: 1 })).json["RAX-AUTH:bypassCodes"].codes;
    expectFault(await face.secondStep(again, second), "unauthorized");
    expect((await face.secondStep(again, third)).status).toBe(200);
  });

  test("do not work after their expiry", async () => {
    const { user, own, token } = await withApp();
    const sent = codes({ numberOfCodes: 2, validityDuration: "PT2M" });
    const made = await face.post(`${own}/bypass-codes`, sent, { token });
    const [first, second] = made.json["RAX-AUTH:bypassCodes"].codes;
    await face.advance(2 * 60_000 - 1);
    const before = await face.sessionId(user, "OTPPASSCODE");
    expect((await face.secondStep(before, first)).status).toBe(200);
    await face.advance(1);
    const after = await face.sessionId(user, "OTPPASSCODE");
    expectFault(await face.secondStep(after, second), "unauthorized");
    expect((await face.api.multiFactor(token)).body.recoveryCodes).toEqual({ remaining: 0 });
  });

  test("in a number outside 1 to 10, or with an impossible duration, are refused", async () => {
    const { own, token } = await withApp();
    for (const body of [
      ...[{ numberOfCodes: 0 }, { numberOfCodes: "11" }, { numberOfCodes: 1.5 }],
      ...[{ numberOfCodes: "-1" }, { numberOfCodes: "ten" }, { numberOfCodes: null }],
      ...["30", "PT", "P", "PT0S", "PT59S", "P1Y", "-PT30M", "P366D", "pt30m"].map(
        (validityDuration) => ({ validityDuration }),
      ),
    ])
      expectFault(await face.post(`${own}/bypass-codes`, codes(body), { token }), "badRequest");
    expectFault(await face.post(`${own}/bypass-codes`, {}, { token }), "badRequest");
    for (const validityDuration of ["PT1M", "P1D", "PT1H30M", "PT20M0.000S", "P365D"]) {
      const sent = codes({ validityDuration });
      expect((await face.post(`${own}/bypass-codes`, sent, { token })).status).toBe(200);
    }
  });

  test("cannot be made without a device", async () => {
    const user = await face.createUser();
    const sent = { token: await face.token(user) };
    expectFault(await face.post(`${face.own(user)}/bypass-codes`, codes({}), sent), "badRequest");
  });

  test("for another user: one code, made by an administrator of the domain, for three hours at most", async () => {
    const { admin, token } = await domain();
    const { user, own } = await withApp(admin.accountId);
    const make = (body: object, sent = { token }) =>
      face.post(`${own}/bypass-codes`, codes(body), sent);
    expectFault(await make({ numberOfCodes: 2 }), "forbidden");
    expectFault(await make({ validityDuration: "PT181M" }), "forbidden");
    const member = await face.createUser({ accountId: admin.accountId });
    expectFault(await make({}, { token: await face.token(member) }), "forbidden");
    const stranger = await face.createUser({ role: "administrator" });
    expectFault(await make({}, { token: await face.token(stranger) }), "itemNotFound");
    const [code] = (await make({})).json["RAX-AUTH:bypassCodes"].codes;
    const sessionId = await face.sessionId(user, "OTPPASSCODE");
    const second = await face.secondStep(sessionId, code);
    const theirs = second.json.access.token.id;
    const { events } = (
      await face.api.call<{ events: object[] }>("GET", "/v1/me/activity", { token: theirs })
    ).body;
    expect(events).toContainEqual(
      expect.objectContaining({
        ...{ type: "recovery_codes_made", userId: user.id, actorId: admin.id },
      }),
    );
  });
});

describe("where enabling is a separate call", () => {
  async function ownCall() {
    const user = await face.createUser();
    await face.set(user.accountId, { enablingIsOwnCall: true });
    return { user, own: face.own(user), token: await face.token(user) };
  }

  test("a verified device counts only from that call on, and every token ends with it", async () => {
    const { user, own, token } = await ownCall();
    const app = await addApp(face, own, token);
    const shown = await face.call("GET", `${own}/otp-devices/${app.id}`, { token });
    expect(shown.json["RAX-AUTH:otpDevice"].verified).toBe(true);
    const again = proof(codeOf(face, app.keyUri));
    expectFault(
      await face.post(`${own}/otp-devices/${app.id}/verify`, again, { token }),
      "badRequest",
    );
    const read = async (by: string) =>
      (await face.call("GET", `/users/${user.id}`, { token: by })).json.user;
    expect((await read(token))["RAX-AUTH:multiFactorEnabled"]).toBe(false);
    const other = await face.token(user);
    expectFault(await put(own, token, { enabled: true, factorType: "SMS" }), "badRequest");

    expect((await put(own, token, { enabled: true, factorType: "OTP" })).status).toBe(204);
    for (const ended of [token, other])
      expect((await face.api.session(ended)).problem.reason).toBe("device_verified");
    const full = await logInByApp(face, user, app);
    expect((await read(full))["RAX-AUTH:factorType"]).toBe("OTP");
    // Off again: the device stays, and another call can turn it on.
    expect((await put(own, full, { enabled: false })).status).toBe(204);
    const half = await face.token(user);
    const list = await face.call("GET", `${own}/otp-devices`, { token: half });
    expect(list.json["RAX-AUTH:otpDevices"]).toMatchObject([{ id: app.id, verified: true }]);
    expect((await put(own, half, { enabled: true })).status).toBe(204);
    await logInByApp(face, user, app);
  });

  test("attack: a token twenty minutes old turns it neither on nor off", async () => {
    const { user, own, token } = await ownCall();
    const app = await addApp(face, own, token);
    const ofUser = async () => listDevices(face.deps.db, user.id);
    await face.advance(20 * 60_000);
    expectFault(await put(own, token, { enabled: true }), "unauthorized");
    expect((await face.api.session(token)).status).toBe(200);
    expect(await ofUser()).toMatchObject([{ verifiedAt: null, inactiveAt: expect.any(Date) }]);
    const fresh = await face.token(user);
    expect((await put(own, fresh, { enabled: true })).status).toBe(204);
    const full = await logInByApp(face, user, app);
    await face.advance(20 * 60_000);
    expectFault(await put(own, full, { enabled: false }), "unauthorized");
    expect(await ofUser()).toMatchObject([{ verifiedAt: expect.any(Date), inactiveAt: null }]);
  });

  test("a call that broke off before the tokens ended is completed by the next one", async () => {
    const { user, own, token } = await ownCall();
    const app = await addApp(face, own, token);
    const at = new Date(face.clock.now());
    const { accountId } = user;
    const event = { key: newId(), at, type: "multi_factor_switched_on", accountId } as const;
    await holdingUser(face.deps.db, user.id, (tx) =>
      reactivateDevices(tx, { userId: user.id, at }, event),
    );
    expect((await put(own, token, { enabled: true })).status).toBe(204);
    expect((await face.api.session(token)).problem.reason).toBe("device_verified");
    const full = await logInByApp(face, user, app);
    expect((await put(own, full, { enabled: true })).status).toBe(204);
    expect((await face.api.session(full)).status).toBe(200);
  });

  test("the set-up token can enable it where a second factor is required; then it cannot be turned off", async () => {
    const { user, own } = await ownCall();
    await face.set(user.accountId, { requirement: "required" });
    const token = await face.token(user, { "RAX-AUTH:scope": "SETUP-MFA" });
    const app = await addApp(face, own, token);
    expectFault(await face.firstStep(user), "forbidden");
    expect((await put(own, token, { enabled: true })).status).toBe(204);
    const full = await logInByApp(face, user, app);
    expectFault(await put(own, full, { enabled: false }), "forbidden");
  });

  test("turning it off voids open logins and bypass codes; the same works with a phone", async () => {
    const { user, own, token } = await ownCall();
    const app = await addApp(face, own, token);
    await put(own, token, { enabled: true });
    const full = await logInByApp(face, user, app);
    const made = await face.post(
      `${own}/bypass-codes`,
      { "RAX-AUTH:bypassCodes": {} },
      { token: full },
    );
    const [code] = made.json["RAX-AUTH:bypassCodes"].codes;
    const open = await face.sessionId(user, "OTPPASSCODE");
    expect((await put(own, full, { enabled: false })).status).toBe(204);
    expectFault(await face.secondStep(open, code), "unauthorized");
    expect((await face.api.multiFactor(full)).body).toMatchObject({
      ...{ enabled: false, recoveryCodes: { remaining: 0 } },
    });
    expect((await face.call("DELETE", own, { token: await face.token(user) })).status).toBe(204);
    const half = await face.token(user);
    const phone = { "RAX-AUTH:mobilePhone": { number: "+1 773-555-0100" } };
    const added = await face.post(`${own}/mobile-phones`, phone, { token: half });
    const path = `${own}/mobile-phones/${added.json["RAX-AUTH:mobilePhone"].id}`;
    const pin = await face.pinTo("+17735550100");
    expect((await face.post(`${path}/verify`, proof(pin), { token: half })).status).toBe(204);
    // Nobody is logged out, because the device does not count yet.
    expect((await face.call("GET", path, { token: half })).json).toMatchObject({
      "RAX-AUTH:mobilePhone": { verified: true },
    });
    expect((await put(own, half, { enabled: true, factorType: "SMS" })).status).toBe(204);
    await face.sessionId(user, "PASSCODE");
  });

  test("`/v1` still turns it on by verifying a device", async () => {
    const { user } = await ownCall();
    await enrollPhone(face, user);
    await face.sessionId(user);
  });
});
