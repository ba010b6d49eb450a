import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createApp } from "../../../api/app.ts";
import { newId } from "../../../store/ids.ts";
import { holdAccount } from "../../../store/postgres/accounts.ts";
import { findUserByUsername, getUser } from "../../../store/postgres/users.ts";
import { createClient } from "../../support/client.ts";
import { expectProblem } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

// The real functions, with their calls recorded.
const calls: string[] = [];
/** Runs while a new password is being hashed. */
let meanwhile: (() => Promise<unknown>) | undefined;
vi.mock("@node-rs/argon2", async (original) => {
  const real = await original<typeof import("@node-rs/argon2")>();
  const counted =
    <Args extends unknown[], Result>(name: string, work: (...args: Args) => Result) =>
    (...args: Args) => {
      calls.push(name);
      return work(...args);
    };
  const hash = async (...args: Parameters<typeof real.hash>) => {
    await meanwhile?.();
    return real.hash(...args);
  };
  return { ...real, hash: counted("hash", hash), verify: counted("verify", real.verify) };
});

const stack = useStack();
beforeEach(() => {
  calls.length = 0;
  meanwhile = undefined;
});

/** A client without retries. */
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
  test("a taken name is refused before any hashing", async () => {
    const { username } = await stack.createUser();
    const { add } = await administrator();
    calls.length = 0;
    const answers = await Promise.all(Array.from({ length: 50 }, () => add(username)));
    for (const answer of answers) expectProblem(answer, "username_taken");
    expect(calls).toEqual([]);
  });

  test("one administrator can set sixty passwords in ten minutes, their own included", async () => {
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
  test("an address has so many logins of a user a minute, and other users still log in", async () => {
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

describe("attack: a thief's slow write goes on while the owner ends all other sessions", () => {
  async function ownerAndThief() {
    const owner = await stack.createUser({ role: "administrator" });
    const [own, stolen] = [
      await logInByPassword(stack, owner),
      await logInByPassword(stack, owner),
    ];
    const end = () => stack.api.call("DELETE", "/v1/sessions", { token: own.token });
    return { owner, thief: stolen.token, end };
  }

  test("no user is added", async () => {
    const { thief, end } = await ownerAndThief();
    const username = `new-${newId()}`;
    const body = { username, password: "a password of hers" };
    meanwhile = async () => expect((await end()).status).toBe(200);
    const added = await stack.api.call("POST", "/v1/account/users", { token: thief, body });
    expectProblem(added, "session_revoked");
    expect(await findUserByUsername(stack.deps.db, username)).toBeUndefined();
  });

  test("the password does not change", async () => {
    const { owner, thief, end } = await ownerAndThief();
    const body = { currentPassword: owner.password, password: "another password" };
    meanwhile = async () => expect((await end()).status).toBe(200);
    const changed = await stack.api.call("PUT", "/v1/me/password", { token: thief, body });
    expectProblem(changed, "session_revoked");
    expect((await stack.api.logIn(owner)).status).toBe(200);
  });

  test("no role is given", async () => {
    const { owner, thief, end } = await ownerAndThief();
    const { db } = stack.deps;
    const { id } = await stack.createUser({ accountId: owner.accountId });
    const changing = await db.transaction(async (tx) => {
      await holdAccount(tx, owner.accountId);
      const body = { role: "administrator" };
      const path = `/v1/account/users/${id}/role`;
      const asked = stack.api.call("PUT", path, { token: thief, body });
      const waiting = sql`
        select 1 from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()`;
      await until(
        () => db.execute(waiting),
        ({ rows }) => rows.length > 0,
      );
      expect((await end()).status).toBe(200);
      return { asked };
    });
    expectProblem(await changing.asked, "session_revoked");
    expect((await getUser(db, id))?.role).toBe("member");
  });
});
