import { expect, test } from "vitest";
import { challengeSent, enrollPhone, wrongCode } from "../../support/scenarios.ts";
import { gatewayOver } from "../../support/stack.ts";
import { used } from "../../support/used.ts";
import { expectFault, startFace } from "./face.ts";

const face = used(startFace);

async function withPhone() {
  const user = await face.createUser();
  return { user, ...(await enrollPhone(face, user)) };
}

test("a password alone gets the whole access object", async () => {
  const user = await face.createUser({ role: "administrator" });
  const answer = await face.firstStep(user, { tenantId: "42", tenantName: "whoever" });
  expect(answer.status).toBe(200);
  const { name } = answer.json.access.token.tenant;
  expect(answer.json).toEqual({
    access: {
      serviceCatalog: [],
      token: {
        id: expect.stringMatching(/^[0-9a-f]{56}\.[\w-]{43}$/),
        expires: new Date(face.clock.now() + 86_400_000).toISOString(),
        tenant: { id: user.accountId, name },
        "RAX-AUTH:authenticatedBy": ["PASSWORD"],
      },
      user: {
        id: user.id,
        name: user.username,
        email: "",
        "RAX-AUTH:domainId": user.accountId,
        "RAX-AUTH:defaultRegion": "RegionOne",
        "RAX-AUTH:multiFactorEnabled": false,
        roles: [
          {
            id: expect.stringMatching(/^[0-9a-f]{32}$/),
            name: "identity:user-admin",
            description: expect.any(String),
            tenantId: user.accountId,
          },
        ],
      },
    },
  });
  // The token is a session of `/v1`.
  expect((await face.api.session(answer.json.access.token.id)).body.user.id).toBe(user.id);
});

test("a wrong password and an unknown user get the same answer, without a challenge", async () => {
  const user = await face.createUser();
  const wrong = await face.firstStep({ ...user, password: "wrong" });
  const unknown = await face.firstStep({ username: "nobody", password: "wrong" });
  expectFault(wrong, "unauthorized");
  expect(unknown.json).toEqual(wrong.json);
});

test("a phone: a challenge, wrong passcodes that do not end it, and one token", async () => {
  const { user, e164 } = await withPhone();
  const first = await face.firstStep(user);
  expect(first.json).toEqual({
    unauthorized: { code: 401, message: "Additional authentication credentials required" },
  });
  const passcode = await face.passcodeTo(e164);
  const [, id = ""] = /^OS-MF sessionId='([^']+)', factor='PASSCODE'$/.exec(
    first.headers.get("www-authenticate") ?? "",
  ) as string[];
  // A session id is a login challenge of `/v1` with a shorter lifetime.
  const challenge = await challengeSent(face, id);
  expect(Date.parse(challenge.expiresAt)).toBe(face.clock.now() + 5 * 60_000);

  for (let n = 1; n <= 3; n++)
    expectFault(await face.secondStep(id, wrongCode(passcode, n)), "unauthorized");
  expect((await face.api.challenge(id)).body.attemptsRemaining).toBe(4);
  const second = await face.secondStep(id, passcode);
  expect(second.json.access.token["RAX-AUTH:authenticatedBy"]).toEqual(["PASSWORD", "PASSCODE"]);
  expect(second.json.access.user["RAX-AUTH:multiFactorEnabled"]).toBe(true);
  expect((await face.api.session(second.json.access.token.id)).body.amr).toContain("sms");
  // A session id works only once.
  expectFault(await face.secondStep(id, passcode), "unauthorized");
});

test("each first step sends a passcode, which works for its own session id only", async () => {
  const { user, e164 } = await withPhone();
  const older = await face.sessionId(user);
  const first = await face.passcodeTo(e164);
  const newer = await face.sessionId(user);
  const second = await face.passcodeTo(e164);
  await challengeSent(face, older);
  await challengeSent(face, newer);
  expectFault(await face.secondStep(newer, first), "unauthorized");
  expect((await face.secondStep(newer, second)).status).toBe(200);
});

test("the session id ends after five minutes", async () => {
  const { user, e164 } = await withPhone();
  const id = await face.sessionId(user);
  const passcode = await face.passcodeTo(e164);
  await challengeSent(face, id);
  await face.advance(5 * 60_000);
  expectFault(await face.secondStep(id, passcode), "unauthorized");
});

test("a second step without a session id, or with an unknown one, is refused", async () => {
  const body = { auth: { "RAX-AUTH:passcodeCredentials": { passcode: "1234567" } } };
  expectFault(await face.post("/tokens", body), "badRequest");
  for (const id of ["nonsense", "0".repeat(56), `${"0".repeat(56)}.secret`])
    expectFault(await face.secondStep(id, "1234567"), "unauthorized");
  const { user, e164 } = await withPhone();
  const id = await face.sessionId(user);
  await face.passcodeTo(e164);
  await challengeSent(face, id);
  expectFault(await face.secondStep(id, "no passcode"), "badRequest");
  expect((await face.api.challenge(id)).body.attemptsRemaining).toBe(7);
});

test("a stale session id is ignored if other credentials are sent", async () => {
  const user = await face.createUser();
  const { username, password } = user;
  const body = { auth: { passwordCredentials: { username, password } } };
  const headers = { "x-SESSIONID": "stale" };
  expect((await face.post("/tokens", body, { headers })).status).toBe(200);
});

test("a lock: forbidden at the second step; at the first step unauthorized, without a challenge", async () => {
  const { user, e164 } = await withPhone();
  const id = await face.sessionId(user);
  const passcode = await face.passcodeTo(e164);
  await challengeSent(face, id);
  for (let n = 1; n <= 6; n++)
    expectFault(await face.secondStep(id, wrongCode(passcode, n)), "unauthorized");
  expectFault(await face.secondStep(id, wrongCode(passcode, 7)), "forbidden");
  expectFault(await face.secondStep(id, passcode), "forbidden");
  expect(expectFault(await face.firstStep(user), "unauthorized")).toContain("Contact Support");
  expectFault(await face.firstStep({ ...user, password: "wrong" }), "unauthorized");
});

test("a lock says how to reach Support at both steps, but only after the right password", async () => {
  const { user, e164 } = await withPhone();
  const id = await face.sessionId(user);
  const passcode = await face.passcodeTo(e164);
  await challengeSent(face, id);
  for (let n = 1; n <= 7; n++) await face.secondStep(id, wrongCode(passcode, n));
  const SUPPORT_CONTACT = { text: "help@panel.example", href: "mailto:help@panel.example" };
  const api = gatewayOver(face, { config: { ...face.deps.config, SUPPORT_CONTACT } });
  const logIn = (auth: object, headers = {}) =>
    api.call("POST", "/v2.0/tokens", { headers, body: { auth } });
  const message =
    "Your account is locked after too many wrong passcodes. Contact Support to unlock it: help@panel.example.";
  const second = await logIn(
    { "RAX-AUTH:passcodeCredentials": { passcode } },
    { "x-sessionid": id },
  );
  expect(JSON.parse(second.text)).toEqual({ forbidden: { code: 403, message } });
  const { username, password } = user;
  const first = await logIn({ passwordCredentials: { username, password } });
  expect(JSON.parse(first.text)).toEqual({ unauthorized: { code: 401, message } });
  const wrong = await logIn({ passwordCredentials: { username, password: "wrong" } });
  expect(wrong.text).not.toContain("panel.example");
});

test("too many wrong passwords get the fault overLimit", async () => {
  const user = await face.createUser();
  const wrong = { ...user, password: "wrong" };
  for (let n = 0; n < 10; n++) expectFault(await face.firstStep(wrong), "unauthorized");
  expectFault(await face.firstStep(wrong), "overLimit");
});

test("if a second factor is required but not set up, only the set-up scope gets a token", async () => {
  const user = await face.createUser();
  await face.set(user.accountId, { requirement: "required" });
  expect(expectFault(await face.firstStep(user), "forbidden")).toBe("User must setup multi-factor");
  const token = await face.token(user, { "RAX-AUTH:scope": "SETUP-MFA" });
  const own = face.own(user);
  expect((await face.call("GET", `${own}/otp-devices`, { token })).status).toBe(200);
  const made = { "RAX-AUTH:otpDevice": { name: "App" } };
  expect((await face.post(`${own}/otp-devices`, made, { token })).status).toBe(201);
  for (const path of [`/users/${user.id}`, "/users?name=x", `/RAX-AUTH/domains/${user.accountId}`])
    expectFault(await face.call("GET", path, { token }), "forbidden");
  const other = await face.createUser({ accountId: user.accountId });
  expectFault(await face.call("GET", `${face.own(other)}/otp-devices`, { token }), "forbidden");
  expectFault(await face.call("DELETE", "/tokens", { token }), "forbidden");
  // The set-up token is not valid as a token for others, and cannot look up another user.
  const { id: adminId, ...rest } = await face.createUser({
    accountId: user.accountId,
    role: "administrator",
  });
  await face.set(user.accountId, { requirement: "optional" });
  const admin = await face.token(rest);
  expectFault(await face.call("GET", `/tokens/${token}`, { token: admin }), "itemNotFound");
  expectFault(await face.call("GET", `/users/${adminId}`, { token }), "forbidden");
});

test("the set-up scope can be requested where nothing is required, but not once a device is set up", async () => {
  const user = await face.createUser();
  const token = await face.token(user, { "RAX-AUTH:scope": "SETUP-MFA" });
  expectFault(await face.call("GET", `/users/${user.id}`, { token }), "forbidden");
  await enrollPhone(face, user);
  expectFault(await face.firstStep(user, { "RAX-AUTH:scope": "SETUP-MFA" }), "forbidden");
});
