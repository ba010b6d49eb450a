// I had the password once. From addresses where I logged in I guess the next password, while
// strangers' guesses keep the owner out.
import { expect, test } from "vitest";
import { makeApiKey } from "../../core/login/api-keys.ts";
import { spendPasswordGuess } from "../../core/login/password-limits.ts";
import { getUser } from "../../store/postgres/users.ts";
import { codeAt, userWithApp } from "../support/apps.ts";
import { expectProblem } from "../support/problems.ts";
import { gatewayOver } from "../support/stack.ts";
import { useStack } from "../support/used.ts";

const WINDOW_MS = 16 * 60_000;
const HOME = "192.0.2.1";

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });

type Login = { username: string; password: string };

const from = (address: string, login: Login) =>
  stack.api.logIn(login, { headers: { "x-forwarded-for": address } });

/** Strangers type wrong passwords until their budget is used up. */
async function spendStrangers({ username }: Login, net: string) {
  for (let n = 0; n < 100; n++)
    await from(`${net}.${Math.floor(n / 10)}`, { username, password: `guess ${n}` });
  expectProblem(await from(`${net}.99`, { username, password: "x" }), "login_throttled");
}

test("a right password alone, before any second step, makes no address known", async () => {
  const { user } = await userWithApp(stack);
  expect((await from("198.51.100.77", user)).body.status).toBe("challenge");
  await spendStrangers(user, "203.0.113");
  expectProblem(await from("198.51.100.77", { ...user, password: "x" }), "login_throttled");
});

test("a complete login does", async () => {
  const { user, secret } = await userWithApp(stack);
  await stack.advance(30_000);
  const { body } = await from(HOME, user);
  if (body.status !== "challenge") throw new Error(`It answered ${body.status}`);
  const answered = await stack.api.verifyPasscode(
    body.challenge.id,
    codeAt(secret, stack.clock.now()),
    { headers: { "x-forwarded-for": HOME } },
  );
  expect(answered.status).toBe(200);
  await spendStrangers(user, "203.0.113");
  expect((await from(HOME, user)).body.status).toBe("challenge");
});

test("a password change forgets every address except the one it came from", async () => {
  const user = await stack.createUser();
  for (let n = 1; n <= 4; n++) expect((await from(`198.51.100.${n}`, user)).status).toBe(200);
  const home = (await from(HOME, user)).body;
  if (home.status !== "authenticated") throw new Error(`It answered ${home.status}`);
  const password = "quite another one 73";
  const changed = await stack.api.call("PUT", "/v1/me/password", {
    token: home.session.token,
    headers: { "x-forwarded-for": HOME },
    body: { currentPassword: user.password, password },
  });
  expect(changed.status).toBe(204);
  await spendStrangers(user, "203.0.113");
  for (let n = 1; n <= 4; n++)
    expectProblem(await from(`198.51.100.${n}`, { ...user, password: "x" }), "login_throttled");
  expect((await from(HOME, { ...user, password })).status).toBe(200);
});

test("ten addresses are known at most, and each has ten wrong passwords between two logins", async () => {
  const user = await stack.createUser();
  const addresses = Array.from({ length: 11 }, (_, n) => `198.51.100.${n + 1}`);
  for (const address of [...addresses, HOME]) {
    expect((await from(address, user)).status).toBe(200);
    await stack.advance(1_000);
  }
  await spendStrangers(user, "203.0.113");
  let judged = 0;
  for (const address of addresses)
    for (let n = 0; n < 10; n++)
      if ((await from(address, { ...user, password: `x${n}` })).status === 401) judged++;
  expect(judged).toBe(90);
  await stack.advance(WINDOW_MS);
  for (const address of addresses)
    expectProblem(await from(address, { ...user, password: "x" }), "login_throttled");
  // Guesses from elsewhere do not stop the owner at a usual address.
  expect((await from(HOME, user)).status).toBe(200);
});

test("a login from a known address gives it ten more", async () => {
  const user = await stack.createUser();
  expect((await from(HOME, user)).status).toBe(200);
  await spendStrangers(user, "203.0.113");
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 9; n++)
      expectProblem(await from(HOME, { ...user, password: "x" }), "invalid_credentials");
    expect((await from(HOME, user)).status).toBe(200);
    await stack.advance(WINDOW_MS);
  }
});

test("a gateway that dies while it checks a guess does not lock the owner out of a known address", async () => {
  const user = await stack.createUser();
  expect((await from(HOME, user)).status).toBe(200);
  for (let n = 0; n < 9; n++)
    expectProblem(await from(HOME, { ...user, password: "x" }), "invalid_credentials");
  await spendPasswordGuess(stack.deps, user.username, { ip: HOME });
  await stack.advance(WINDOW_MS);
  expect((await from(HOME, user)).status).toBe(200);
});

test("an API key alone makes no address known", async () => {
  const user = await stack.createUser();
  const known = await getUser(stack.deps.db, user.id);
  if (!known) throw new Error("There is no user");
  const { username } = known;
  const apiKey = await makeApiKey(stack.deps, known, {
    actorId: "test",
    origin: {},
    session: "command_line",
  });
  const logged = await stack.app.request("/v2.0/tokens", {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": HOME },
    body: JSON.stringify({ auth: { "RAX-KSKEY:apiKeyCredentials": { username, apiKey } } }),
  });
  expect(logged.status).toBe(200);
  await spendStrangers(user, "203.0.113");
  expectProblem(await from(HOME, { ...user, password: "x" }), "login_throttled");
});

test("a login succeeds even if its address cannot be stored", async () => {
  const { user, secret } = await userWithApp(stack);
  await stack.advance(30_000);
  const redis = new Proxy(stack.deps.redis, {
    get(target, key) {
      if (key === "rememberAddress") return async () => Promise.reject(new Error("no room"));
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const api = gatewayOver(stack, { redis });
  const { body } = await api.logIn(user);
  if (body.status !== "challenge") throw new Error(`It answered ${body.status}`);
  const answered = await api.verifyPasscode(body.challenge.id, codeAt(secret, stack.clock.now()), {
    headers: { "x-forwarded-for": HOME },
  });
  expect(answered.status).toBe(200);
});
