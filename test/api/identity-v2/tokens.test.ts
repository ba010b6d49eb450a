import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { makeApiKey, revokeApiKey } from "../../../core/login/api-keys.ts";
import { freePort } from "../../../scripts/ports.ts";
import { getAccount } from "../../../store/postgres/accounts.ts";
import { getUser } from "../../../store/postgres/users.ts";
import { connectRedis } from "../../../store/redis/connect.ts";
import type { Person } from "../../support/people.ts";
import { enrollPhone } from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { used } from "../../support/used.ts";
import { expectFault, startFace } from "./face.ts";

const face = used(startFace);

const ACTOR = { actorId: "test", origin: {}, session: "command_line" } as const;

describe("a token", () => {
  test("can be validated by its own user and by administrators of the domain, with the login's answer", async () => {
    const admin = await face.createUser({ role: "administrator" });
    const user = await face.createUser({ accountId: admin.accountId });
    const login = await face.firstStep(user);
    const token = login.json.access.token.id;
    const path = `/tokens/${token}`;
    const own = await face.call("GET", path, { token });
    expect([own.status, own.json]).toEqual([200, login.json]);
    const other = await face.token(user);
    expect((await face.call("GET", path, { token: other })).json).toEqual(login.json);
    const byAdmin = await face.call("GET", path, { token: await face.token(admin) });
    expect(byAdmin.json).toEqual(login.json);
    const colleague = await face.createUser({ accountId: admin.accountId });
    expectFault(await face.call("GET", path, { token: await face.token(colleague) }), "forbidden");
    const stranger = await face.createUser({ role: "administrator" });
    expectFault(await face.call("GET", path, { token: await face.token(stranger) }), "forbidden");
    const head = await face.call("HEAD", path, { token });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  test("that is unknown, revoked, expired or a session id is not found", async () => {
    const user = await face.createUser();
    const token = await face.token(user);
    const revoked = await face.token(user);
    expect((await face.call("DELETE", `/tokens/${revoked}`, { token })).status).toBe(204);
    const sessionId = await face.sessionId(await withPhone());
    const forged = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
    for (const id of ["x", "0".repeat(32), revoked, sessionId, forged, `${token}x`, "a%2Fb"])
      expectFault(await face.call("GET", `/tokens/${id}`, { token }), "itemNotFound");
    await face.advance(3_600_000);
    const fresh = await face.token(user);
    expectFault(await face.call("GET", `/tokens/${token}`, { token: fresh }), "itemNotFound");
    expectFault(await face.call("GET", `/tokens/${fresh}`, { token }), "unauthorized");
  });

  test("can be revoked by its owner and by administrators of the domain", async () => {
    const admin = await face.createUser({ role: "administrator" });
    const user = await face.createUser({ accountId: admin.accountId });
    const colleague = await face.createUser({ accountId: admin.accountId });
    const [first, second] = [await face.token(user), await face.token(user)];
    const member = await face.token(colleague);
    expectFault(await face.call("DELETE", `/tokens/${first}`, { token: member }), "forbidden");
    const byAdmin = { token: await face.token(admin) };
    expect((await face.call("DELETE", `/tokens/${first}`, byAdmin)).status).toBe(204);
    expectFault(await face.call("DELETE", `/tokens/${first}`, byAdmin), "itemNotFound");
    const own = await face.call("DELETE", "/tokens", { token: second });
    expect([own.status, own.text]).toEqual([204, ""]);
    expectFault(await face.call("DELETE", "/tokens", { token: second }), "unauthorized");
    expect((await face.api.session(second)).problem.reason).toBe("signed_out");
  });

  test("is not logged, though the protocol puts it into the path", async () => {
    const token = await face.token(await face.createUser());
    const [id = "", secret = ""] = token.split(".");
    await face.call("GET", `/tokens/${token}`, { token });
    await face.call("GET", `/tokens/${id}%2e${secret}`, { token });
    await face.call("GET", `/tokens//${token}/more`, { token });
    const lines = face.logged().join("");
    expect(lines).toContain('"route":"/v2.0/tokens/:tokenId"');
    expect(lines).not.toContain(id);
    expect(lines).not.toContain(secret);
  });
});

async function withPhone(): Promise<Person> {
  const user = await face.createUser();
  await enrollPhone(face, user);
  return user;
}

describe("an API key", () => {
  const keyed = ({ username }: Person, apiKey: string) =>
    face.post("/tokens", { auth: { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } } });

  async function newKey(user: Person) {
    const known = await getUser(face.deps.db, user.id);
    if (!known) throw new Error("There is no user");
    return { known, apiKey: await makeApiKey(face.deps, known, ACTOR) };
  }

  test("logs in; a wrong, replaced or revoked one and an unknown user get the same answer", async () => {
    const user = await face.createUser();
    const first = (await newKey(user)).apiKey;
    const { known, apiKey } = await newKey(user);
    const answer = await keyed(user, apiKey);
    expect(answer.json.access.token["RAX-AUTH:authenticatedBy"]).toEqual(["APIKEY"]);
    expect((await face.api.session(answer.json.access.token.id)).body.amr).toEqual(["api_key"]);
    const wrong = await keyed(user, first);
    expectFault(wrong, "unauthorized");
    expect((await keyed({ ...user, username: "nobody" }, apiKey)).json).toEqual(wrong.json);
    const other = await face.createUser();
    expect((await keyed(other, apiKey)).json).toEqual(wrong.json);
    await revokeApiKey(face.deps, known, ACTOR);
    expect((await keyed(user, apiKey)).json).toEqual(wrong.json);
    const ended = await face.api.session(answer.json.access.token.id);
    expect(ended.problem.reason).toBe("api_key_changed");
  });

  test("shares its budget of guesses with the password", async () => {
    const user = await face.createUser();
    for (let n = 0; n < 5; n++) expectFault(await keyed(user, "wrong"), "unauthorized");
    for (let n = 0; n < 5; n++)
      expectFault(await face.firstStep({ ...user, password: "wrong" }), "unauthorized");
    expectFault(await keyed(user, "wrong"), "overLimit");
  });

  test("is refused where the user has a second factor, unless the account allows it", async () => {
    const user = await withPhone();
    const { apiKey } = await newKey(user);
    expectFault(await keyed(user, apiKey), "unauthorized");
    await face.set(user.accountId, { apiKeysBypassMfa: true });
    const token = (await keyed(user, apiKey)).json.access.token.id;
    expect((await face.api.session(token)).body.scope).toBe("full");
    // The token has no second factor, so it cannot remove the user's devices.
    expectFault(await face.call("DELETE", face.own(user), { token }), "unauthorized");
  });

  test("is refused where a second factor is required, unless the account allows it", async () => {
    const user = await face.createUser();
    const { apiKey } = await newKey(user);
    await face.set(user.accountId, { requirement: "required" });
    expectFault(await keyed(user, apiKey), "unauthorized");
    await face.set(user.accountId, { apiKeysBypassMfa: true });
    expect((await keyed(user, apiKey)).status).toBe(200);
  });
});

describe("users and domains", () => {
  test("users can read themselves by id and by name; only administrators of the domain read others", async () => {
    const admin = await face.createUser({ role: "administrator" });
    const user = await face.createUser({ accountId: admin.accountId });
    const token = await face.token(user);
    const shown = {
      user: {
        id: user.id,
        username: user.username,
        email: "",
        enabled: true,
        "RAX-AUTH:domainId": user.accountId,
        "RAX-AUTH:defaultRegion": "RegionOne",
        "RAX-AUTH:multiFactorEnabled": false,
        "RAX-AUTH:multiFactorState": "ACTIVE",
        "RAX-AUTH:userMultiFactorEnforcementLevel": "DEFAULT",
      },
    };
    const byName = `/users?name=${user.username.toUpperCase()}`;
    const adminToken = await face.token(admin);
    for (const path of [`/users/${user.id}`, byName])
      for (const by of [token, adminToken])
        expect((await face.call("GET", path, { token: by })).json).toEqual(shown);
    const stranger = await face.token(await face.createUser({ role: "administrator" }));
    for (const path of [`/users/${user.id}`, byName])
      expectFault(await face.call("GET", path, { token: stranger }), "itemNotFound");
    for (const path of [
      `/users/${admin.id}`,
      `/users?name=${admin.username}`,
      "/users?name=nobody",
    ])
      expectFault(await face.call("GET", path, { token }), "forbidden");
    expectFault(await face.call("GET", "/users?name=%00", { token: adminToken }), "badRequest");
    expectFault(await face.call("GET", "/users", { token: adminToken }), "badRequest");
    expectFault(await face.call("GET", "/users/%27x", { token: adminToken }), "itemNotFound");
  });

  test("a domain that requires security keys is REQUIRED, and REQUIRED asks for no less of it", async () => {
    const admin = await face.createUser({ role: "administrator" });
    const path = `/RAX-AUTH/domains/${admin.accountId}`;
    const body = {
      "RAX-AUTH:multiFactorDomain": { domainMultiFactorEnforcementLevel: "REQUIRED" },
    };
    const token = await face.token(admin);
    const put = () => face.call("PUT", `${path}/multi-factor`, { token, body });
    const level = async () =>
      (await face.call("GET", path, { token })).json["RAX-AUTH:domain"]
        .domainMultiFactorEnforcementLevel;
    const requirement = "phishing_resistant" as const;
    const enforceAfter = new Date(face.clock.now() + 60_000);
    await face.set(admin.accountId, { requirement, enforceAfter });
    expect(await level()).toBe("REQUIRED");
    // It is announced only, so no second factor is asked for yet.
    expect((await put()).status).not.toBe(204);
    await face.set(admin.accountId, { requirement, enforceAfter, requiredMeanwhile: true });
    expect((await put()).status).toBe(204);
    await face.set(admin.accountId, { requirement, enforceAfter: null, requiredMeanwhile: false });
    expect((await put()).status).toBe(204);
    expect(await getAccount(face.deps.db, admin.accountId)).toMatchObject({
      ...{ requirement, policyVersion: 0 },
    });
    expect(await level()).toBe("REQUIRED");
  });

  test("a domain can be read by its users; only its administrators set its level", async () => {
    const admin = await face.createUser({ role: "administrator" });
    const user = await face.createUser({ accountId: admin.accountId });
    const path = `/RAX-AUTH/domains/${admin.accountId}`;
    const body = (to: string) => ({
      "RAX-AUTH:multiFactorDomain": { domainMultiFactorEnforcementLevel: to },
    });
    const token = await face.token(user);
    const read = async () => (await face.call("GET", path, { token })).json["RAX-AUTH:domain"];
    expect(await read()).toEqual({
      ...{ id: admin.accountId, name: expect.any(String), enabled: true },
      domainMultiFactorEnforcementLevel: "OPTIONAL",
    });
    const set = (by: string, to: string) =>
      face.call("PUT", `${path}/multi-factor`, { token: by, body: body(to) });
    expectFault(await set(token, "REQUIRED"), "forbidden");
    const stranger = await face.token(await face.createUser({ role: "administrator" }));
    expectFault(await set(stranger, "REQUIRED"), "itemNotFound");
    expectFault(await face.call("GET", path, { token: stranger }), "itemNotFound");
    const first = await face.token(admin);
    for (const to of ["required", "RACKSPACE_MANDATED", ""])
      expectFault(await set(first, to), "badRequest");
    const answer = await set(first, "REQUIRED");
    expect([answer.status, answer.text]).toEqual([204, ""]);
    // The roll-out ended every session without a second factor, including the administrator's.
    for (const ended of [token, first])
      expect((await face.api.session(ended)).problem.reason).toBe("policy_required");
    expectFault(await face.firstStep(user), "forbidden");
  });
});

describe("a request", () => {
  test("without a valid token is unauthorized wherever one is needed", async () => {
    const { id, accountId } = await face.createUser();
    const own = face.own({ id });
    const calls: [string, string][] = [
      ...["GET", "DELETE"].map((method): [string, string] => [method, "/tokens/x"]),
      ["DELETE", "/tokens"],
      ["GET", "/users?name=x"],
      ["GET", `/users/${id}`],
      ["GET", `/RAX-AUTH/domains/${accountId}`],
      ["PUT", `/RAX-AUTH/domains/${accountId}/multi-factor`],
      ...["PUT", "DELETE"].map((method): [string, string] => [method, own]),
      ["POST", `${own}/bypass-codes`],
      ...["mobile-phones", "otp-devices"].flatMap((kind): [string, string][] => [
        ["GET", `${own}/${kind}`],
        ["POST", `${own}/${kind}`],
        ["GET", `${own}/${kind}/${id}`],
        ["DELETE", `${own}/${kind}/${id}`],
        ["POST", `${own}/${kind}/${id}/verify`],
      ]),
      ["POST", `${own}/mobile-phones/${id}/verificationcode`],
    ];
    for (const [method, path] of calls) {
      expectFault(await face.call(method, path), "unauthorized");
      const headers = { "x-auth-token": "nonsense" };
      expectFault(await face.call(method, path, { headers }), "unauthorized");
      const bearer = { authorization: `Bearer ${"0".repeat(56)}.x` };
      expectFault(await face.call(method, path, { headers: bearer }), "unauthorized");
    }
  });

  test("that cannot be read gets the right fault, whatever the client accepts", async () => {
    const user = await face.createUser();
    const { username, password } = user;
    const good = { auth: { passwordCredentials: { username, password } } };
    for (const accept of ["*/*", "application/xml", "text/html", ""]) {
      const headers = { accept };
      expect((await face.post("/tokens", good, { headers })).status).toBe(200);
      expectFault(await face.post("/tokens", "{", { headers }), "badRequest");
    }
    for (const type of ["application/xml", "text/plain", "application/x-www-form-urlencoded"])
      expectFault(
        await face.post("/tokens", good, { headers: { "content-type": type } }),
        "badMediaType",
      );
    const utf8 = { "content-type": "Application/JSON; charset=UTF-8" };
    expect((await face.post("/tokens", good, { headers: utf8 })).status).toBe(200);
    for (const body of [
      ...["", "null", "[]", "{}", '"x"', "\u0000", "{'auth':{}}"],
      ...[{ auth: {} }, { auth: [] }, { auth: null }, { auth: { passwordCredentials: {} } }],
      ...[{ auth: { passwordCredentials: { username, password: 5 } } }],
      ...[{ auth: { passwordCredentials: { username: "", password } } }],
      ...[{ auth: { passwordCredentials: { username, password: "x".repeat(257) } } }],
      ...[{ auth: { ...good.auth, "RAX-AUTH:scope": "EVERYTHING" } }],
      ...[{ auth: { ...good.auth, "RAX-AUTH:passcodeCredentials": { passcode: "1" } } }],
      ...[{ auth: { token: { id: "x" }, tenantId: "y" } }],
      ...[{ auth: { "RAX-KSKEY:apiKeyCredentials": { username } } }],
      ...[{ auth: { "RAX-AUTH:passcodeCredentials": {} } }],
    ])
      expectFault(await face.post("/tokens", body), "badRequest");
    expectFault(await face.post("/tokens", "x".repeat(70_000)), "badRequest");
  });

  test("to an unknown path, or with another method, gets the right error", async () => {
    const token = await face.token(await face.createUser());
    for (const path of ["", "/", "/nothing", "/tokens/", "/tokens/a/b", "/users/x/RAX-AUTH"])
      for (const method of ["GET", "POST", "DELETE"])
        expectFault(await face.call(method, path, { token }), "itemNotFound");
    const own = face.own({ id: "x" });
    for (const [path, allow] of [
      ["/tokens", "POST, DELETE"],
      ["/tokens/x", "GET, DELETE"],
      ["/users", "GET"],
      [own, "PUT, DELETE"],
      [`${own}/mobile-phones`, "POST, GET"],
      [`${own}/bypass-codes`, "POST"],
    ]) {
      const answer = await face.call("PATCH", path as string, { token });
      expectFault(answer, "badMethod");
      expect(answer.headers.get("allow")).toBe(allow);
    }
  });

  test("repeated with its Idempotency-Key gets the same answer, including the challenge", async () => {
    const user = await withPhone();
    const { username, password } = user;
    const body = { auth: { passwordCredentials: { username, password } } };
    const headers = { "idempotency-key": "once" };
    const first = await face.post("/tokens", body, { headers });
    const again = await face.post("/tokens", body, { headers });
    expect(first.headers.get("www-authenticate")).toContain("OS-MF");
    expect(again.headers.get("www-authenticate")).toBe(first.headers.get("www-authenticate"));
    expectFault(await face.post("/tokens", { auth: {} }, { headers }), "badRequest");
    const visitor = await face.createUser();
    const sent = { token: await face.token(visitor), headers };
    const made = { "RAX-AUTH:otpDevice": { name: "App" } };
    const path = `${face.own(visitor)}/otp-devices`;
    const [one, two] = [await face.post(path, made, sent), await face.post(path, made, sent)];
    expect(two.json).toEqual(one.json);
    expect(two.headers.get("location")).toBe(one.headers.get("location"));
    const list = await face.call("GET", path, { token: sent.token });
    expect(list.json["RAX-AUTH:otpDevices"]).toHaveLength(1);
    // The same Idempotency-Key with another token is another request.
    const other = await face.createUser();
    const theirs = await face.post(`${face.own(other)}/otp-devices`, made, {
      ...{ token: await face.token(other), headers },
    });
    expect(theirs.json["RAX-AUTH:otpDevice"].id).not.toBe(one.json["RAX-AUTH:otpDevice"].id);
  });

  test("that was over the limit can succeed later with the same Idempotency-Key", async () => {
    const user = await face.createUser();
    const { username, password } = user;
    const wrong = { ...user, password: "wrong" };
    for (let n = 0; n < 10; n++) await face.firstStep(wrong);
    const body = { auth: { passwordCredentials: { username, password } } };
    const headers = { "idempotency-key": "patient" };
    expectFault(await face.post("/tokens", body, { headers }), "overLimit");
    await face.advance(15 * 60_000);
    expect((await face.post("/tokens", body, { headers })).status).toBe(200);
  });

  test("gets a 503 with Retry-After while a store is away", async () => {
    const token = await face.token(await face.createUser());
    const away = await connectRedis(`redis://127.0.0.1:${await freePort()}`, () => {});
    const app = createApp({ ...face.deps, redis: away });
    const headers = { "x-auth-token": token };
    const response = await app.request(`/v2.0/tokens/${token}`, { headers });
    const fault = await response.json();
    await away.close();
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(fault).toEqual({
      serviceUnavailable: { code: 503, message: expect.stringContaining("Nothing was lost") },
    });
  });
});

test("the audit records the same for this API as for /v1", async () => {
  const user = await face.createUser();
  const { username } = user;
  await face.firstStep({ ...user, password: "wrong" });
  const token = await face.token({ ...user, username: username.toUpperCase() });
  type Page = { events: { type: string; userId: string; ip: string | null }[] };
  const read = async () =>
    (await face.api.call<Page>("GET", "/v1/me/activity", { token })).body.events;
  const events = await until(read, ({ length }) => length > 1);
  expect(events.map(({ type }) => type).sort()).toEqual(["login_failed", "login_succeeded"]);
  expect(events.every(({ ip }) => ip === "127.0.0.1")).toBe(true);
});
