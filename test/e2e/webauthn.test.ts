import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeviceView } from "../../core/devices/devices.ts";
import { MINUTE_MS } from "../../units.ts";
import { logInByApp, verifiedApp } from "../support/apps.ts";
import {
  KEY_SETTINGS,
  keyCalls,
  logInByKey,
  logInByPasskey,
  newKey,
  userWithKey,
  verifiedKey,
} from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ environment: KEY_SETTINGS });
}, limit(300_000));
afterAll(() => stack.stop());

const calls = () => keyCalls(stack.api);
const devicesOf = async (token: string) => (await stack.api.multiFactor(token)).body;

test("a user adds a key, is logged out, and logs in with password and key", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const key = newKey();
  const { device, options, expiresAt } = (await calls().register(token, "My key")).body;
  expect(device).toMatchObject({
    type: "webauthn",
    name: "My key",
    state: "awaiting_credential",
    next: ["verify", "restart", "remove"],
  });
  expect(options).toMatchObject({ rp: { id: "example.com" }, attestation: "none" });
  expect(Date.parse(expiresAt)).toBe(stack.clock.now() + 10 * MINUTE_MS);
  const verified = (await calls().verify(token, device.id, key.create(options))).body;
  expect(verified).toMatchObject({ signedOut: true, device: { verified: true } });
  expect((await stack.api.session(token)).problem.reason).toBe("device_verified");

  const challenge = await startChallenge(stack, user);
  expect(challenge).toMatchObject({
    method: "webauthn",
    state: "awaiting_key",
    next: ["verify", "webauthn"],
  });
  // The login's own answer has options, too; asking again replaces them.
  expect(challenge.options).toMatchObject({ rpId: "example.com" });
  const asked = (await calls().options(challenge.id)).body.options;
  expect(asked).toMatchObject({ rpId: "example.com", userVerification: "discouraged" });
  const answered = (await calls().answer(challenge.id, key.get(asked))).body;
  expect(answered.status).toBe("authenticated");
  expect(answered.session).toMatchObject({ scope: "full", amr: ["pwd", "pop", "mfa"] });
  const { defaultMethod, devices } = await devicesOf(answered.session.token);
  expect(defaultMethod).toBe("webauthn");
  expect(devices[0]?.lastUsedAt).toBe(new Date(stack.clock.now()).toISOString());
});

test("a passkey logs its user in alone", async () => {
  const { user, key } = await userWithKey(stack);
  const { session } = (await logInByPasskey(stack, key)).body;
  expect(session).toMatchObject({ scope: "full", amr: ["pop", "user", "mfa"] });
  expect((await stack.api.session(session.token)).body.user.username).toBe(user.username);
});

test("a key beside an app: the session gains the factor, and either device logs in", async () => {
  const user = await stack.createUser();
  const first = await logInByPassword(stack, user);
  const app = await verifiedApp(stack, first.token, false);
  const { key, signedOut, session } = await verifiedKey(stack, first.token, { makeDefault: false });
  expect(signedOut).toBe(false);
  // A login by key is "pop"; to add one is not.
  expect(session?.amr).toEqual(["pwd", "otp", "mfa"]);
  const challenge = await startChallenge(stack, user);
  expect(challenge).toMatchObject({ method: "webauthn", methods: ["webauthn", "otp"] });
  expect((await stack.api.resendPasscode(challenge.id)).problem.code).toBe("illegal_transition");
  expect((await stack.api.chooseMethod(challenge.id, "otp")).body.state).toBe("awaiting_passcode");
  expect((await logInByKey(stack, user, key)).amr).toEqual(["pwd", "pop", "mfa"]);
  expect((await logInByApp(stack, user, app.secret)).amr).toEqual(["pwd", "otp", "mfa"]);
});

describe("the list of devices", () => {
  test("a device of any kind gets another name; another user's is not found", async () => {
    const { user, key, id } = await userWithKey(stack);
    const { token } = await logInByKey(stack, user, key);
    const renamed = await stack.api.call<DeviceView>("PATCH", `/v1/me/devices/${id}`, {
      token,
      body: { name: "Blue key" },
    });
    expect(renamed.body.name).toBe("Blue key");
    const other = await userWithKey(stack);
    const theirs = await logInByKey(stack, other.user, other.key);
    const refused = await stack.api.call("PATCH", `/v1/me/devices/${id}`, {
      token: theirs.token,
      body: { name: "Mine" },
    });
    expect(refused.problem.code).toBe("device_not_found");
    expect((await devicesOf(token)).devices[0]?.name).toBe("Blue key");
  });

  test("ten keys are the most", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    for (let n = 0; n < 10; n++) expect((await calls().register(token)).status).toBe(201);
    expect((await calls().register(token)).problem.code).toBe("too_many_devices");
  });
});

test("removing a stolen key ends the sessions and logins that it may have opened; the session that removes it stays", async () => {
  const { user, key: stolen, id } = await userWithKey(stack);
  const first = await logInByKey(stack, user, stolen);
  const app = await verifiedApp(stack, first.token, false);
  const { key: own } = await verifiedKey(stack, first.token, { makeDefault: false, name: "Own" });
  const thief = await logInByPasskey(stack, stolen);
  const underWay = await startChallenge(stack, user);
  await stack.advance(31_000);
  const byApp = await logInByApp(stack, user, app.secret);
  const mine = (await logInByPasskey(stack, own)).body.session;
  expect(
    (await stack.api.call("DELETE", `/v1/me/devices/${id}`, { token: mine.token })).status,
  ).toBe(204);

  for (const { token } of [thief.body.session, first])
    expect((await stack.api.session(token)).problem.reason).toBe("key_removed");
  for (const { token } of [mine, byApp]) expect((await stack.api.session(token)).status).toBe(200);
  const late = await calls().answer(underWay.id, own.get(underWay.options));
  expect(late.problem.code).toBe("challenge_expired");
});

test("a body names the form it comes nearest to: a code, or a credential", async () => {
  const { user, key } = await userWithKey(stack);
  const { id } = await startChallenge(stack, user);
  const faults = async (body: object) =>
    (await stack.api.call("POST", `/v1/login/challenges/${id}/verify`, { body })).problem.errors;
  expect(await faults({})).toEqual([{ path: "passcode", message: "This is missing." }]);
  expect(await faults({ passcode: "" })).toEqual([
    { path: "passcode", message: "Enter the code." },
  ]);
  const { options } = (await calls().options(id)).body;
  const credential = key.get(options);
  expect(await faults({ credential: { ...credential, id: "not base64url!" } })).toEqual([
    { path: "credential.id", message: "This is not base64url." },
  ]);
});
