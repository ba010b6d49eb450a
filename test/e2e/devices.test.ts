import { generateSync } from "otplib";
import { expect, test } from "vitest";
import type { listAudit } from "../../core/audit.ts";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { setPolicy } from "../../store/postgres/accounts.ts";
import { DAY_MS, MINUTE_MS } from "../../units.ts";
import { newPhone } from "../support/phones.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  pinSent,
  startChallenge,
} from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack({ time: "skipping" });

const codeOf = (secret: string) =>
  generateSync({ secret, epoch: Math.floor(stack.clock.now() / 1000) });

const addApp = async (token: string) =>
  (await stack.api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body: { name: "App" } }))
    .body;

const remove = (token: string, id = "") =>
  stack.api.call("DELETE", `/v1/me/devices${id && `/${id}`}`, { token });

const setDefault = (token: string, method: string) =>
  stack.api.call("PUT", "/v1/me/multi-factor/default-method", { token, body: { method } });

/** A user with a phone and an app, logged in by the phone. */
async function withBoth() {
  const user = await stack.createUser();
  const { e164, id: phoneId } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  const app = await addApp(token);
  const body = { code: codeOf(app.secret), makeDefault: false };
  await stack.api.call("POST", `/v1/me/devices/${app.device.id}/verify`, { token, body });
  return { user, e164, phoneId, token, app };
}

test("a login begins with the default method; the other one can be chosen for one login", async () => {
  const { user, token, e164 } = await withBoth();
  expect((await startChallenge(stack, user)).method).toBe("sms");
  expect((await setDefault(token, "otp")).status).toBe(200);
  const { id, method, methods } = await startChallenge(stack, user);
  expect({ method, methods: [...methods].sort() }).toEqual({
    method: "otp",
    methods: ["otp", "sms"],
  });
  await stack.passcodeTo(e164);
  expect((await stack.api.chooseMethod(id, "sms")).body.method).toBe("sms");
  const passcode = await stack.passcodeTo(e164);
  expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
  expect((await startChallenge(stack, user)).method).toBe("otp");
});

test("a method without a verified device cannot be the default", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  await addApp(token);
  expect((await setDefault(token, "otp")).problem.code).toBe("method_not_configured");
});

test("a verified phone can only be removed with all devices; then nothing is left", async () => {
  const { user, token, phoneId } = await withBoth();
  const made = { token, body: {} };
  const { codes } = (
    await stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", made)
  ).body;
  expect(codes).toHaveLength(10);
  expect((await remove(token, phoneId)).problem.code).toBe("remove_all_required");
  const waiting = await startChallenge(stack, user);
  expect((await remove(token)).status).toBe(204);
  expect((await stack.api.multiFactor(token)).body).toMatchObject({
    enabled: false,
    defaultMethod: null,
    devices: [],
    recoveryCodes: { remaining: 0 },
  });
  const late = await stack.api.verifyPasscode(waiting.id, codes[0] as string);
  expect(late.problem.code).toBe("challenge_expired");
  expect((await stack.api.challenge(waiting.id)).body.state).toBe("withdrawn");
});

test("where the account requires a second factor, removing the last device ends every session and leads to set-up", async () => {
  const { user, token, e164 } = await withBoth();
  const other = await logInBySms(stack, user, e164);
  const { accountId } = (await stack.api.session(token)).body.user;
  const policy = { accountId, requirement: "required", enforceAfter: null, version: 0 } as const;
  const event = { key: accountId, at: new Date(stack.clock.now()), accountId };
  await setPolicy(stack.deps.db, policy, { ...event, type: "policy_changed" });
  expect((await remove(token)).status).toBe(204);
  for (const ended of [token, other.token])
    expect((await stack.api.session(ended)).problem).toMatchObject({
      code: "session_revoked",
      reason: "all_devices_removed",
    });
  const { body } = await stack.api.logIn(user);
  expect(body).toMatchObject({ status: "setup_required", session: { scope: "mfa_setup" } });
});

test("attack: a stolen session twenty minutes old changes nothing about the devices", async () => {
  const { token, app } = await withBoth();
  await stack.advance(20 * MINUTE_MS);
  const calls = [
    await remove(token),
    await remove(token, app.device.id),
    await setDefault(token, "otp"),
    await stack.api.call("POST", "/v1/me/recovery-codes", { token, body: {} }),
    await stack.api.call("POST", "/v1/me/devices/otp", { token, body: { name: "Mine" } }),
    await stack.api.registerPhone(token, newPhone()),
  ];
  for (const { problem } of calls) expect(problem.code).toBe("reauthentication_required");
});

test("an app is verified once, and only by its own user", async () => {
  const { token, app } = await withBoth();
  const again = await stack.api.verifyDevice(token, app.device.id, codeOf(app.secret));
  expect(again.problem.code).toBe("device_verified_already");
  const other = await logInByPassword(stack, await stack.createUser());
  const foreign = await stack.api.verifyDevice(other.token, app.device.id, "123456");
  expect(foreign.problem.code).toBe("device_not_found");
  expect((await remove(other.token, app.device.id)).problem.code).toBe("device_not_found");
});

test("an unfinished set-up can be restarted with a new secret, and is dropped after seven days", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const first = await addApp(token);
  const restart = `/v1/me/devices/${first.device.id}/restart`;
  const second = (await stack.api.call<OtpSetup>("POST", restart, { token })).body;
  expect(second.secret).not.toBe(first.secret);
  const old = await stack.api.verifyDevice(token, first.device.id, codeOf(first.secret));
  expect(old.problem.code).toBe("pin_rejected");
  await stack.advance(7 * DAY_MS);
  const late = await logInByPassword(stack, user);
  expect((await stack.api.multiFactor(late.token)).body.devices).toEqual([]);
});

test("an unverified phone can be removed and another number added", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { id } = (await stack.api.registerPhone(token, newPhone())).body;
  await pinSent(stack, token, id);
  expect((await remove(token, id)).status).toBe(204);
  await stack.advance(MINUTE_MS);
  expect((await stack.api.registerPhone(token, newPhone())).status).toBe(201);
});

test("the user's activity shows each action page by page, with who, when, where and which workflow", async () => {
  const { token, app } = await withBoth();
  type Page = Awaited<ReturnType<typeof listAudit>>;
  const read = async (query: string) =>
    (await stack.api.call<Page>("GET", `/v1/me/activity?${query}`, { token })).body;
  const all = await read("limit=100");
  const types = all.events.map(({ type }) => type);
  expect(types.filter((type) => type.startsWith("device") || /added$/.test(type))).toEqual([
    "device_verified",
    "otp_device_added",
    "device_verified",
    "sms_device_added",
  ]);
  expect(all.events[0]).toMatchObject({
    type: "device_verified",
    workflowId: `otp-enrollment/${app.device.id}`,
    detail: { deviceId: app.device.id },
  });
  const first = await read("limit=2");
  const second = await read(`limit=100&before=${first.next}`);
  expect([...first.events, ...second.events]).toEqual(all.events);
});
