import { beforeEach, describe, expect, test, vi } from "vitest";
import { createApp } from "../../api/app.ts";
import { newId } from "../../store/ids.ts";
import { createClient } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

// The real functions, whose calls are written down.
const calls: string[] = [];
vi.mock("@node-rs/argon2", async (original) => {
  const real = await original<typeof import("@node-rs/argon2")>();
  const told =
    <Args extends unknown[], Result>(name: string, work: (...args: Args) => Result) =>
    (...args: Args) => {
      calls.push(name);
      return work(...args);
    };
  return { ...real, hash: told("hash", real.hash), verify: told("verify", real.verify) };
});

const stack = useStack();
beforeEach(() => {
  calls.length = 0;
});

/** Not the client that tries again by itself. */
function gateway() {
  const app = createApp(stack.deps);
  return createClient(async (path, init) => app.request(path, init));
}

async function administrator() {
  const { token } = await logInByPassword(stack, await stack.createUser({ role: "administrator" }));
  const add = (username: string) =>
    gateway().call("POST", "/v1/account/users", {
      token,
      body: { username, password: "a password of hers" },
    });
  return { token, add };
}

describe("attack: an administrator adds users without end", () => {
  test("a taken name is refused before anything is hashed", async () => {
    const { username } = await stack.createUser();
    const { add } = await administrator();
    calls.length = 0;
    const answers = await Promise.all(Array.from({ length: 50 }, () => add(username)));
    for (const answer of answers) expectProblem(answer, "username_taken");
    expect(calls).toEqual([]);
  });

  test("sixty passwords are set in ten minutes by one, and their own is counted too", async () => {
    const { add } = await administrator();
    const other = await administrator();
    for (let n = 0; n < 60; n++) expect((await add(`new-${newId()}`)).status).toBe(201);
    const refused = await add(`new-${newId()}`);
    expectProblem(refused, "too_many_requests");
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(600);
    expect((await other.add(`new-${newId()}`)).status).toBe(201);
    await stack.advance(seconds * 1000);
    expect((await add(`new-${newId()}`)).status).toBe(201);
  });
});

describe("attack: a user logs in without end", () => {
  test("so often a minute from an address, and nobody else is kept out by it", async () => {
    const user = await stack.createUser();
    const other = await stack.createUser();
    const { logIn } = gateway();
    const statuses = [];
    for (let n = 0; n < 120; n++) statuses.push((await logIn(user)).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    calls.length = 0;
    const refused = await logIn(user);
    expectProblem(refused, "too_many_requests");
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(calls).toEqual([]);
    expect((await logIn(other)).status).toBe(200);
    await stack.advance(60_000);
    expect((await logIn(user)).status).toBe(200);
  });
});
