// I do not want to log in; I want to lock somebody else out. I know their user name, maybe even
// their user id, and I have as many addresses as I like.
import { describe, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { newOwnedId } from "../../store/ids.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { codeAt, logInByApp, userWithApp } from "../support/apps.ts";
import { createClient } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { startChallenge } from "../support/scenarios.ts";
import { checkedClient } from "../support/stack.ts";
import { useStack } from "../support/used.ts";

const WINDOW_MS = 15 * 60_000;

const stack = useStack();

/** Logs in from an address that a trusted proxy reports. */
function from(address: string) {
  const config = { ...stack.deps.config, TRUSTED_PROXIES: 1 };
  const app = createApp({ ...stack.deps, config });
  const { logIn } = checkedClient(app, stack.document, stack.logged);
  return (login: { username: string; password: string }) =>
    logIn(login, { headers: { "x-forwarded-for": address } });
}

/** Types one wrong password from each address. Returns the statuses. */
async function guesses(username: string, addresses: string[]) {
  const answers = [];
  for (const address of addresses)
    answers.push((await from(address)({ username, password: "guess" })).status);
  return answers;
}

const addressesOf = (net: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${net}${(n + 1).toString(16)}`);

describe("attack: locking a user without their password", () => {
  test("wrong passcodes at made-up challenges of a real user id count nothing", async () => {
    const { user, secret } = await userWithApp(stack);
    const made = Array.from({ length: 50 }, () => newOwnedId(user.id));
    const answers = await Promise.all(
      made.flatMap((id) => [
        stack.api.verifyPasscode(id, "1234567"),
        stack.api.verifyPasscode(id, "123456"),
        stack.api.verifyPasscode(id, "AAAA-AAAA-AAAA-AAAA"),
      ]),
    );
    for (const answer of answers) expectProblem(answer, "challenge_not_found");
    const challenge = await startChallenge(stack, user);
    expect(challenge.attemptsRemaining).toBe(7);
    const code = codeAt(secret, stack.clock.now());
    expect((await stack.api.verifyPasscode(challenge.id, code)).status).toBe(200);
  });

  test("any number of wrong passwords locks nobody, and ends no session and no open challenge", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const { id } = await startChallenge(stack, user);
    await guesses(
      user.username,
      addressesOf("2001:db8:1:", 30).flatMap((at) => Array(5).fill(`${at}::1`)),
    );
    expect((await stack.api.session(token)).status).toBe(200);
    await stack.advance(30_000);
    const code = codeAt(secret, stack.clock.now());
    expect((await stack.api.verifyPasscode(id, code)).status).toBe(200);
  });

  test("while the database is away a login costs no guess", async () => {
    const { username } = await stack.createUser();
    const away = connectDatabase("postgres://nobody@127.0.0.1:1/none");
    const { logIn } = createClient(createApp({ ...stack.deps, db: away.db }).request);
    for (let n = 0; n < 12; n++)
      expect((await logIn({ username, password: "guess" })).status).toBe(503);
    await away.close();
    expectProblem(await stack.api.logIn({ username, password: "x" }), "invalid_credentials");
    await stack.advance(WINDOW_MS);
  });

  test("an Idempotency-Key that somebody else used first keeps nobody from logging in", async () => {
    const user = await stack.createUser();
    const headers = { "idempotency-key": "1" };
    await stack.api.logIn({ ...user, password: "guess" }, { headers });
    expect((await stack.api.logIn(user, { headers })).status).toBe(200);
    expect((await stack.api.logIn(user)).status).toBe(200);
  });
});

// A home or a server gets at least an IPv6 /64, so 2^64 addresses count as one client.
describe("attack: the many addresses of an IPv6 network", () => {
  test("share one address's ten guesses at a user name", async () => {
    const { username } = await stack.createUser();
    const statuses = await guesses(username, addressesOf("2001:db8:0:1::", 14));
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
    expect(await guesses(username, ["2001:db8:0:2::1"])).toEqual([401]);
  });

  test("share one address's fifty guesses over all names", async () => {
    const spray = await Promise.all(
      addressesOf("2001:db8:0:3::", 60).map((at, n) =>
        from(at)({ username: `nobody-${n}`, password: "guess" }),
      ),
    );
    const looked = spray.filter(({ status }) => status === 401).length;
    expect(looked).toBe(50);
    expectProblem(await from("2001:db8:0:3:ffff::1")(await stack.createUser()), "login_throttled");
  });

  test("are all known once the user came from one of them", async () => {
    const user = await stack.createUser();
    expect((await from("2001:db8:0:4::1")(user)).status).toBe(200);
    const strangers = addressesOf("2001:db8:2:", 10).flatMap((at) => Array(10).fill(`${at}::1`));
    await guesses(user.username, strangers);
    expectProblem(await from("2001:db8:0:5::1")(user), "login_throttled");
    expect((await from("2001:db8:0:4:a:b:c:d")(user)).status).toBe(200);
  });

  test.each([
    ["192.0.2.77", "::ffff:192.0.2.77"],
    ["192.0.2.78", "::ffff:c000:24e"],
    ["2001:db8:0:6::1", "2001:0DB8:0000:0006:0000:0000:0000:0001"],
  ])("%s written as %s is the same address", async (one, other) => {
    const { username } = await stack.createUser();
    expect(await guesses(username, Array(10).fill(one))).toEqual(Array(10).fill(401));
    expect(await guesses(username, [other])).toEqual([429]);
    await stack.advance(WINDOW_MS);
  });
});
