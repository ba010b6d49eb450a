import { beforeEach, describe, expect, test, vi } from "vitest";
import { createApp } from "../../../api/app.ts";
import { newId } from "../../../store/ids.ts";
import type { Answer } from "../../support/client.ts";
import type { Person } from "../../support/people.ts";
import { expectProblem } from "../../support/problems.ts";
import { enrollPhone, startChallenge, wrongCode } from "../../support/scenarios.ts";
import { checkedClient } from "../../support/stack.ts";
import { useStack } from "../../support/used.ts";

// The real function, with its calls counted: the work that an attacker can measure as time.
vi.mock("@node-rs/argon2", async (original) => {
  const real = await original<typeof import("@node-rs/argon2")>();
  return { ...real, verify: vi.fn(real.verify) };
});
const { verify } = vi.mocked(await import("@node-rs/argon2"));

const stack = useStack();
beforeEach(() => {
  verify.mockClear();
});

const unknown = () => ({ username: `nobody-${newId()}`, password: "wrong" });

/** The parts of an answer that an attacker can compare, without those that always differ. */
function seen({ status, headers, text }: Answer<unknown>) {
  const kept = [...headers].filter(([name]) => name !== "x-request-id" && name !== "date");
  return { status, text, headers: Object.fromEntries(kept) };
}

async function lockedUser(): Promise<Person> {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  for (let guess = 1; guess <= 7; guess++)
    await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
  return user;
}

describe("attack: finding out which users exist", () => {
  test("a wrong password gets the same answer after the same work, for any user name", async () => {
    const plain = await stack.createUser();
    const paired = await stack.createUser();
    await enrollPhone(stack, paired);
    const locked = await lockedUser();
    verify.mockClear();

    const answers = [];
    for (const username of [unknown().username, plain.username, paired.username, locked.username]) {
      answers.push(seen(await stack.api.logIn({ username, password: "wrong" })));
      expect(verify).toHaveBeenCalledOnce();
      // The hash had the same cost parameters each time.
      expect(String(verify.mock.lastCall?.[0])).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      verify.mockClear();
    }
    expect(answers[0]?.status).toBe(401);
    expect(JSON.parse(answers[0]?.text ?? "").code).toBe("invalid_credentials");
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  test("the lock is shown only after the right password", async () => {
    const user = await lockedUser();
    expectProblem(await stack.api.logIn({ ...user, password: "wrong" }), "invalid_credentials");
    expectProblem(await stack.api.logIn(user), "account_locked");
  });

  test("guesses are throttled alike whether the user exists or not", async () => {
    const known = await stack.createUser();
    const guesses = async (username: string) => {
      const answers = [];
      for (let guess = 0; guess < 11; guess++)
        answers.push(seen(await stack.api.logIn({ username, password: `guess ${guess}` })));
      return answers;
    };
    const [theirs, nobodys] = [await guesses(known.username), await guesses(unknown().username)];
    expect(theirs).toEqual(nobodys);
    expect(theirs.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
    await stack.advance(15 * 60_000);
  });
});

describe("attack: guessing a password", () => {
  /** A client with this address, at a gateway behind one trusted proxy. */
  const from = (address: string) => {
    const config = { ...stack.deps.config, TRUSTED_PROXIES: 1 };
    const app = createApp({ ...stack.deps, config });
    const headers = { "x-forwarded-for": `6.6.6.6, ${address}` };
    const { logIn } = checkedClient(app, stack.document, stack.logged);
    return (login: { username: string; password: string }) => logIn(login, { headers });
  };

  test("ten wrong ones are checked, also in a burst; then the right one is not", async () => {
    const user = await stack.createUser();
    const logIn = from("192.0.2.1");
    const burst = await Promise.all(
      Array.from({ length: 30 }, (_, n) => logIn({ ...user, password: `guess ${n}` })),
    );
    expect(burst.filter(({ status }) => status === 401)).toHaveLength(10);
    const late = burst.filter(({ status }) => status !== 401);
    for (const answer of late) expectProblem(answer, "login_throttled");

    verify.mockClear();
    const right = expectProblem(await logIn(user), "login_throttled");
    expect(right.detail).not.toContain(user.username);
    expect(verify).not.toHaveBeenCalled();
  });

  test("the block keeps the user out from no other address, and ends after fifteen minutes", async () => {
    const user = await stack.createUser();
    const attacker = from("192.0.2.2");
    for (let guess = 0; guess < 10; guess++) await attacker({ ...user, password: "guess" });
    const refused = await attacker(user);
    expectProblem(refused, "login_throttled");
    expect((await from("192.0.2.3")(user)).status).toBe(200);

    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeLessThanOrEqual(15 * 60);
    await stack.advance(seconds * 1000);
    expect((await attacker(user)).status).toBe(200);
  });

  test("fifty wrong passwords from an address are checked, over all names", async () => {
    const logIn = from("192.0.2.4");
    const burst = await Promise.all(Array.from({ length: 60 }, () => logIn(unknown())));
    expect(burst.filter(({ status }) => status === 401)).toHaveLength(50);
    expectProblem(await logIn(await stack.createUser()), "login_throttled");
  });

  test("right passwords cost nothing", async () => {
    const user = await stack.createUser();
    const logIn = from("192.0.2.5");
    for (let login = 0; login < 15; login++) expect((await logIn(user)).status).toBe(200);
  });

  test("a client cannot choose its address by writing the header itself", async () => {
    const user = await stack.createUser();
    const spoof = (n: number) =>
      stack.api.logIn(
        { ...user, password: "guess" },
        { headers: { "x-forwarded-for": `192.0.2.${n}` } },
      );
    for (let n = 0; n < 10; n++) expectProblem(await spoof(n), "invalid_credentials");
    expectProblem(await spoof(99), "login_throttled");
  });
});

test("a user name is the same in any case and width, the password is not", async () => {
  const user = await stack.createUser();
  await stack.advance(15 * 60_000);
  const spellings = [
    user.username.toUpperCase(),
    ` ${user.username} `,
    user.username.replace("u", "ｕ"),
  ];
  for (const username of spellings)
    expect((await stack.api.logIn({ ...user, username })).status).toBe(200);
  // Changes the case of a letter: upper-casing would not change a password without small letters.
  const otherCase = (letter: string) =>
    letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
  const mistyped = { ...user, password: user.password.replace(/[a-z]/i, otherCase) };
  expectProblem(await stack.api.logIn(mistyped), "invalid_credentials");
});
