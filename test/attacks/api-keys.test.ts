// I have a user's API key, from a script or a log. I must not be able to set up a second factor
// with it, which would lock the owner out, nor to change the user's devices.
import { beforeAll, expect, test } from "vitest";
import { makeApiKey } from "../../core/login/api-keys.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { getUser } from "../../store/postgres/users.ts";
import { codeAt, registerApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();
const SITE = "https://mfa.example";

const identity = (method: string, path: string, token?: string, body?: object) =>
  stack.app.request(`/v2.0${path}`, {
    method,
    headers: { "content-type": "application/json", ...(token && { "x-auth-token": token }) },
    body: body && JSON.stringify(body),
  });

const form = (path: string, token: string, fields: Record<string, string>) =>
  stack.app.request(`${SITE}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      cookie: `__Host-session=${token}`,
    },
    body: new URLSearchParams(fields),
  });

/** The token from a login with the user's API key. */
async function tokenByKey({ id, username }: Person): Promise<string> {
  const user = await getUser(stack.deps.db, id);
  if (!user) throw new Error("There is no user");
  const apiKey = await makeApiKey(stack.deps, user, {
    actorId: "test",
    origin: {},
    session: "command_line",
  });
  const auth = { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } };
  const answer = await identity("POST", "/tokens", undefined, { auth });
  return ((await answer.json()) as { access: { token: { id: string } } }).access.token.id;
}

let owner: Person;
let token: string;
/** An app and a phone that the owner began to set up. */
let app: Awaited<ReturnType<typeof registerApp>>;
let phone: { id: string; pin: string };
beforeAll(async () => {
  owner = await stack.createUser();
  const own = await logInByPassword(stack, owner);
  app = await registerApp(stack, own.token);
  const number = newPhone();
  const { id } = (await stack.api.registerPhone(own.token, number)).body;
  phone = { id, pin: await stack.pinTo(number.e164) };
  token = await tokenByKey(owner);
});

const nothingChanged = async () => {
  const devices = await listDevices(stack.deps.db, owner.id);
  expect(devices.map(({ id }) => id).sort()).toEqual([app.device.id, phone.id].sort());
  for (const { verifiedAt, inactiveAt } of devices)
    expect([verifiedAt, inactiveAt]).toEqual([null, null]);
  expect((await getUser(stack.deps.db, owner.id))?.email).toBeNull();
};

test("a session by API key enrolls nothing through /v1, and changes no factor, address or password", async () => {
  const call = (method: string, path: string, body?: object) =>
    stack.api.call(method, `/v1/me${path}`, { token, body });
  const code = codeAt(app.secret, stack.clock.now());
  const { countryCode, phoneNumber } = newPhone();
  for (const answer of [
    await call("POST", "/devices/otp", { name: "Eve's" }),
    await call("POST", "/devices/sms", { countryCode, phoneNumber }),
    await call("POST", `/devices/${app.device.id}/restart`),
    await call("POST", `/devices/${app.device.id}/verify`, { code, makeDefault: false }),
    await call("POST", `/devices/${phone.id}/verify`, { code: phone.pin }),
    await call("POST", `/devices/${phone.id}/pin`),
    await call("DELETE", `/devices/${app.device.id}`),
    await call("DELETE", "/devices"),
    await call("PUT", "/email", { email: "eve@example.com" }),
    await call("PUT", "/password", { currentPassword: owner.password, password: "quite new one" }),
  ])
    expect(expectProblem(answer, "reauthentication_required").detail).toContain("password");
  expect((await call("GET", "/multi-factor")).status).toBe(200);
  await nothingChanged();
});

test("nor does it through the Identity face", async () => {
  const own = `/users/${owner.id}/RAX-AUTH/multi-factor`;
  const code = codeAt(app.secret, stack.clock.now());
  const proof = (code: string) => ({ "RAX-AUTH:verificationCode": { code } });
  const setting = (to: object) => ({ "RAX-AUTH:multiFactor": to });
  for (const [method, path, body] of [
    ["POST", "/otp-devices", { "RAX-AUTH:otpDevice": { name: "Eve's" } }],
    ["POST", "/mobile-phones", { "RAX-AUTH:mobilePhone": { number: newPhone().e164 } }],
    ["POST", `/otp-devices/${app.device.id}/verify`, proof(code)],
    ["POST", `/mobile-phones/${phone.id}/verify`, proof(phone.pin)],
    ["POST", `/mobile-phones/${phone.id}/verificationcode`],
    ["PUT", "", setting({ enabled: true })],
    ["PUT", "", setting({ enabled: false })],
    ["DELETE", `/otp-devices/${app.device.id}`],
    ["DELETE", ""],
  ] as [string, string, object?][]) {
    const answer = await identity(method, `${own}${path}`, token, body);
    const fault = (await answer.json()) as { unauthorized: { message: string } };
    expect(answer.status, `${method} ${path}`).toBe(401);
    expect(fault.unauthorized.message).toContain(
      "log in again: with a passkey, or with your password",
    );
  }
  await nothingChanged();
});

test("the portal asks it for a login", async () => {
  const code = codeAt(app.secret, stack.clock.now());
  for (const [path, fields] of [
    ["/devices/otp", { name: "Eve's" }],
    [`/devices/otp/${app.device.id}/restart`, {}],
    [`/devices/otp/${app.device.id}/verify`, { code }],
    [`/devices/sms/${phone.id}/verify`, { code: phone.pin }],
    ["/devices/email", { email: "eve@example.com" }],
    ["/devices/remove-all", {}],
  ] as [string, Record<string, string>][]) {
    const answer = await form(path, token, fields);
    expect(answer.status, path).toBe(303);
    expect(answer.headers.get("location"), path).toMatch(/^\/login\?again/);
  }
  await nothingChanged();
});
