import { describe, expect, test } from "vitest";
import { DAY_MS, MINUTE_MS } from "../../../units.ts";
import { expectProblem } from "../../support/problems.ts";
import { enrollPhone, logInByPassword, logInBySms } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const put = (token: string | undefined, email: unknown) =>
  stack.api.call<{ email: string | null }>("PUT", "/v1/me/email", { token, body: { email } });

async function loggedIn() {
  return (await logInByPassword(stack, await stack.createUser())).token;
}

const emailOf = async (token: string) =>
  ((await stack.api.multiFactor(token)).body as unknown as { email: string | null }).email;

test("an address is kept as typed, but with its domain in lower case; null removes it", async () => {
  const token = await loggedIn();
  expect(await emailOf(token)).toBeNull();
  expect((await put(token, "Alice.B+mfa@Example.COM")).body.email).toBe("Alice.B+mfa@example.com");
  expect(await emailOf(token)).toBe("Alice.B+mfa@example.com");
  expect((await put(token, null)).body.email).toBeNull();
  expect(await emailOf(token)).toBeNull();
});

test.each([
  ["o'hara!#$%&*+/=?^_`{|}~@example.com", "o'hara!#$%&*+/=?^_`{|}~@example.com"],
  ["info@m\u00fcnchen.example", "info@xn--mnchen-3ya.example"],
  ["user@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "user@xn--e1afmkfd.xn--p1ai"],
  ["user@xn--e1afmkfd.xn--p1ai", "user@xn--e1afmkfd.xn--p1ai"],
  ["\u202aalice@example.com\u202c", "alice@example.com"],
])("%j is stored and shown as %j", async (typed, address) => {
  const token = await loggedIn();
  expect((await put(token, typed)).body.email).toBe(address);
  expect(await emailOf(token)).toBe(address);
});

test.each([
  "",
  "alice",
  "alice@",
  "@example.com",
  "alice@example",
  "a b@example.com",
  "alice@example.com\r\nBcc: all@example.com",
  "alice@example.com, bob@example.com",
  "Alice <alice@example.com>",
  "alice..b@example.com",
  "alice@192.0.2.1",
  "alice@example.com/x",
  `${"a".repeat(65)}@example.com`,
  `${"a".repeat(250)}@example.com`,
  7,
  {},
])("%j is not an address", async (email) => {
  const token = await loggedIn();
  const { errors } = expectProblem(await put(token, email), "invalid_request");
  expect(errors).toMatchObject([{ path: "email" }]);
  expect(await emailOf(token)).toBeNull();
});

describe("attack: a stolen session sends the notices elsewhere", () => {
  test("without a session nothing changes", async () => {
    expectProblem(await put(undefined, "thief@example.com"), "unauthenticated");
  });

  test("a session older than fifteen minutes must log in again", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    await stack.advance(16 * MINUTE_MS);
    expectProblem(await put(token, "thief@example.com"), "reauthentication_required");
    expect(await emailOf((await logInByPassword(stack, user)).token)).toBeNull();
  });

  test("a session by password alone is not enough where there is a device", async () => {
    const user = await stack.createUser();
    const before = await logInByPassword(stack, user);
    const { e164 } = await enrollPhone(stack, user);
    expectProblem(await put(before.token, "thief@example.com"), "session_revoked");
    const { token } = await logInBySms(stack, user, e164);
    expect((await put(token, "mine@example.com")).status).toBe(200);
  });
});

test("attack: sending mail to strangers by changing the address: the eleventh change of a day is refused", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => put(token, `victim-${n}@example.com`)),
  );
  const changed = answers.filter(({ status }) => status === 200);
  expect(changed).toHaveLength(10);
  for (const refused of answers.filter(({ status }) => status !== 200))
    expectProblem(refused, "send_limit");
  // Setting the same address again costs no budget and sends no notice.
  const now = await emailOf(token);
  expect((await put(token, now)).status).toBe(200);
  await stack.advance(DAY_MS + MINUTE_MS);
  const later = await logInByPassword(stack, user);
  expect((await put(later.token, "mine@example.com")).status).toBe(200);
});

test("administrators can give a new user an address, which the user sees", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const carol = { username: "Carol", password: "correct horse", email: "carol@Example.com" };
  const call = { token, body: carol };
  expect((await stack.api.call("POST", "/v1/account/users", call)).status).toBe(201);
  const own = await logInByPassword(stack, carol);
  expect(await emailOf(own.token)).toBe("carol@example.com");
  const wrong = { token, body: { ...carol, username: "dave", email: "nowhere" } };
  expectProblem(await stack.api.call("POST", "/v1/account/users", wrong), "invalid_request");
});
