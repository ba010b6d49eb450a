import { describe, expect, test } from "vitest";
import { newPhone } from "../../support/phones.ts";
import { challengeSent, enrollPhone, wrongCode } from "../../support/scenarios.ts";
import { used } from "../../support/used.ts";
import { addApp, codeOf, proof } from "./apps.ts";
import { expectFault, startFace } from "./face.ts";

const face = used(startFace);

async function newcomer() {
  const user = await face.createUser();
  return { user, own: face.own(user), token: await face.token(user) };
}

describe("a phone", () => {
  const number = (text: string) => ({ "RAX-AUTH:mobilePhone": { number: text } });

  test("is added, gets its PIN by a call, is verified, and is removed with all devices", async () => {
    const { user, own, token } = await newcomer();
    const { e164 } = newPhone();
    const typed = `${e164.slice(0, 2)} ${e164.slice(2, 5)}-${e164.slice(5, 8)}-${e164.slice(8)}`;
    const made = await face.post(`${own}/mobile-phones`, number(typed), { token });
    const { id } = made.json["RAX-AUTH:mobilePhone"];
    expect(made.status).toBe(201);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(made.json).toEqual({ "RAX-AUTH:mobilePhone": { id, number: typed } });
    expect(made.headers.get("location")).toBe(`/v2.0${own}/mobile-phones/${id}`);

    const asked = await face.call("POST", `${own}/mobile-phones/${id}/verificationcode`, { token });
    expect([asked.status, asked.text]).toEqual([202, ""]);
    const pin = await face.pinTo(e164);
    const unverified = { id, number: e164, verified: false };
    const list = await face.call("GET", `${own}/mobile-phones`, { token });
    expect(list.json).toEqual({ "RAX-AUTH:mobilePhones": [unverified] });

    const verify = `${own}/mobile-phones/${id}/verify`;
    expectFault(await face.post(verify, proof(wrongCode(pin)), { token }), "badRequest");
    expectFault(await face.post(verify, proof("12"), { token }), "badRequest");
    const verified = await face.post(verify, proof(pin), { token });
    expect([verified.status, verified.text]).toEqual([204, ""]);
    // As in `/v1`, verifying the first factor ends every session.
    expectFault(await face.call("GET", `${own}/mobile-phones`, { token }), "unauthorized");

    const sessionId = await face.sessionId(user);
    const passcode = await face.passcodeTo(e164);
    await challengeSent(face, sessionId);
    const full = (await face.secondStep(sessionId, passcode)).json.access.token.id;
    const shown = await face.call("GET", `${own}/mobile-phones/${id}`, { token: full });
    expect(shown.json).toEqual({ "RAX-AUTH:mobilePhone": { ...unverified, verified: true } });
    // `/v1` shows the same device.
    expect((await face.api.multiFactor(full)).body).toMatchObject({
      enabled: true,
      devices: [{ id, type: "sms", verified: true }],
    });
    const again = { token: full };
    expectFault(await face.post(verify, proof(pin), again), "badRequest");
    expectFault(
      await face.call("POST", `${own}/mobile-phones/${id}/verificationcode`, again),
      "badRequest",
    );
    expectFault(await face.call("DELETE", `${own}/mobile-phones/${id}`, again), "badRequest");
    expect((await face.call("DELETE", own, again)).status).toBe(204);
    expectFault(await face.call("GET", `${own}/mobile-phones/${id}`, again), "itemNotFound");
    expect((await face.firstStep(user)).status).toBe(200);
  });

  test("gets a new PIN when asked for after a while, and none when asked for too soon", async () => {
    const { own, token } = await newcomer();
    const { e164 } = newPhone();
    const made = await face.post(`${own}/mobile-phones`, number(e164), { token });
    const code = `${own}/mobile-phones/${made.json["RAX-AUTH:mobilePhone"].id}/verificationcode`;
    await face.pinTo(e164);
    expect((await face.call("POST", code, { token })).status).toBe(202);
    await face.advance(30_000);
    expect((await face.call("POST", code, { token })).status).toBe(202);
    await face.pinTo(e164);
    expectFault(await face.call("POST", code, { token }), "overLimit");
  });

  test("with an invalid number is refused, a second one conflicts, an unverified one can be removed", async () => {
    const { own, token } = await newcomer();
    for (const text of ["512-555-0100", "+1 512 555 010", "+999 1234567", "+1 512x5550100", ""])
      expectFault(await face.post(`${own}/mobile-phones`, number(text), { token }), "badRequest");
    for (const body of [
      {},
      { "RAX-AUTH:mobilePhone": {} },
      { "RAX-AUTH:mobilePhone": { number: 5 } },
    ])
      expectFault(await face.post(`${own}/mobile-phones`, body, { token }), "badRequest");
    const made = await face.post(`${own}/mobile-phones`, number(newPhone().e164), { token });
    const second = await face.post(`${own}/mobile-phones`, number(newPhone().e164), { token });
    expectFault(second, "tenantConflict");
    const path = `${own}/mobile-phones/${made.json["RAX-AUTH:mobilePhone"].id}`;
    expect((await face.call("DELETE", path, { token })).status).toBe(204);
    expectFault(await face.call("DELETE", path, { token }), "itemNotFound");
    expectFault(await face.call("GET", `${own}/mobile-phones/x'y`, { token }), "itemNotFound");
  });
});

describe("an app", () => {
  test("is added with its secret shown once, is verified, and logs in", async () => {
    const { user, own, token } = await newcomer();
    const body = { "RAX-AUTH:otpDevice": { name: "NewOTPDevice" } };
    const made = await face.post(`${own}/otp-devices`, body, { token });
    expect(made.status).toBe(201);
    const { id, keyUri } = made.json["RAX-AUTH:otpDevice"];
    expect(made.json).toEqual({
      "RAX-AUTH:otpDevice": {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        // The name of the app's entry has the requested device name.
        keyUri: expect.stringMatching(/^otpauth:\/\/totp\/[^?]*%20\(NewOTPDevice\)\?/),
        name: "NewOTPDevice",
        qrcode: expect.stringMatching(/^data:image\/png;base64,/),
        verified: false,
      },
    });
    expect(made.headers.get("location")).toBe(`/v2.0${own}/otp-devices/${id}`);
    const unverified = { id, name: "NewOTPDevice", verified: false };
    const list = await face.call("GET", `${own}/otp-devices`, { token });
    expect(list.json).toEqual({ "RAX-AUTH:otpDevices": [unverified] });

    const verify = `${own}/otp-devices/${id}/verify`;
    const code = codeOf(face, keyUri);
    expectFault(await face.post(verify, proof(wrongCode(code)), { token }), "badRequest");
    expect((await face.post(verify, proof(code), { token })).status).toBe(204);
    expectFault(await face.post(verify, proof(code), { token }), "badRequest");
    // The token stays valid and now has the second factor.
    const one = await face.call("GET", `${own}/otp-devices/${id}`, { token });
    expect(one.json).toEqual({ "RAX-AUTH:otpDevice": { ...unverified, verified: true } });
    const validated = await face.call("GET", `/tokens/${token}`, { token });
    expect(validated.json.access.token["RAX-AUTH:authenticatedBy"]).toEqual([
      "PASSWORD",
      "OTPPASSCODE",
    ]);

    const sessionId = await face.sessionId(user, "OTPPASSCODE");
    // The code that verified the app cannot be used again.
    expectFault(await face.secondStep(sessionId, code), "unauthorized");
    await face.advance(30_000);
    const second = await face.secondStep(sessionId, codeOf(face, keyUri));
    expect(second.json.access.token["RAX-AUTH:authenticatedBy"]).toEqual([
      "PASSWORD",
      "OTPPASSCODE",
    ]);
  });

  test("the last verified one cannot be removed while logins begin with it; others can", async () => {
    const visitor = await newcomer();
    const { own, token } = visitor;
    const first = await addApp(face, visitor.own, visitor.token, "First");
    expectFault(
      await face.call("DELETE", `${own}/otp-devices/${first.id}`, { token }),
      "badRequest",
    );
    const second = await addApp(face, visitor.own, visitor.token, "Second");
    expect((await face.call("DELETE", `${own}/otp-devices/${first.id}`, { token })).status).toBe(
      204,
    );
    expectFault(
      await face.call("DELETE", `${own}/otp-devices/${second.id}`, { token }),
      "badRequest",
    );
    expectFault(
      await face.call("DELETE", `${own}/mobile-phones/${second.id}`, { token }),
      "itemNotFound",
    );
    expectFault(
      await face.call("GET", `${own}/otp-devices/${first.id}`, { token }),
      "itemNotFound",
    );
  });

  test("a sixth one, or one without a readable name, is refused", async () => {
    const { own, token } = await newcomer();
    const add = (name: unknown) =>
      face.post(`${own}/otp-devices`, { "RAX-AUTH:otpDevice": { name } }, { token });
    for (const name of ["", " ", "x".repeat(65), "a\u202eb", "a\u0000b", 7, null])
      expectFault(await add(name), "badRequest");
    for (let n = 0; n < 5; n++) expect((await add(`App ${n}`)).status).toBe(201);
    expectFault(await add("Sixth"), "badRequest");
  });
});

test("nobody sees or adds another user's devices, not even an administrator", async () => {
  const admin = await face.createUser({ role: "administrator" });
  const user = await face.createUser({ accountId: admin.accountId });
  const { id } = await enrollPhone(face, user);
  const others = face.own(user);
  const colleague = await face.createUser({ accountId: admin.accountId });
  for (const token of [await face.token(admin), await face.token(colleague)]) {
    const calls: [string, string, object?][] = [
      ["GET", "/mobile-phones"],
      ["GET", `/mobile-phones/${id}`],
      ["POST", "/mobile-phones", { "RAX-AUTH:mobilePhone": { number: newPhone().e164 } }],
      ["POST", `/mobile-phones/${id}/verificationcode`],
      ["POST", `/mobile-phones/${id}/verify`, proof("1234")],
      ["GET", "/otp-devices"],
      ["POST", "/otp-devices", { "RAX-AUTH:otpDevice": { name: "Mine" } }],
      ["POST", `/otp-devices/${id}/verify`, proof("123456")],
      ["PUT", "", { "RAX-AUTH:multiFactor": { enabled: true } }],
      ["PUT", "", { "RAX-AUTH:multiFactor": { factorType: "OTP" } }],
    ];
    for (const [method, path, body] of calls)
      expectFault(await face.call(method, `${others}${path}`, { token, body }), "forbidden");
  }
  const nobody = face.own({ id: "0".repeat(32) });
  const token = await face.token(colleague);
  expectFault(await face.call("GET", `${nobody}/otp-devices`, { token }), "forbidden");
});

test("an administrator can remove a user's app, but not a verified phone alone", async () => {
  const admin = await face.createUser({ role: "administrator" });
  const user = await face.createUser({ accountId: admin.accountId });
  const { id: phone } = await enrollPhone(face, user);
  const adminToken = { token: await face.token(admin) };
  expectFault(
    await face.call("DELETE", `${face.own(user)}/mobile-phones/${phone}`, adminToken),
    "badRequest",
  );
  const other = await face.createUser({ accountId: admin.accountId });
  const visitor = { own: face.own(other), token: await face.token(other) };
  const first = await addApp(face, visitor.own, visitor.token, "First");
  await addApp(face, visitor.own, visitor.token, "Second");
  const path = `${visitor.own}/otp-devices/${first.id}`;
  const stranger = await face.createUser({ role: "administrator" });
  expectFault(
    await face.call("DELETE", path, { token: await face.token(stranger) }),
    "itemNotFound",
  );
  expect((await face.call("DELETE", path, adminToken)).status).toBe(204);
  const [removed] = (
    await face.api.call<{ events: object[] }>("GET", "/v1/me/activity", { token: visitor.token })
  ).body.events;
  expect(removed).toMatchObject({ type: "device_removed", userId: other.id, actorId: admin.id });
});
