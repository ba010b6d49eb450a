import { beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { hashPassword } from "../../../store/passwords.ts";
import { createUser } from "../../../store/postgres/users.ts";
import { expectProblem } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();
const password = "correct horse battery";
let token: string;
let accountId: string;
beforeAll(async () => {
  const admin = await stack.createUser({ role: "administrator" });
  ({ accountId } = admin);
  ({ token } = await logInByPassword(stack, admin));
});

const add = (username: string) =>
  stack.api.call<{ username: string }>("POST", "/v1/account/users", {
    token,
    body: { username, password },
  });

test("a name is the same however it is typed: case, width, marks, and invisible characters from a page", async () => {
  const name = `zo\u00eb-${newId()}`;
  expect((await add(name.toUpperCase())).body.username).toBe(name);
  const wide = name.replace("z", "\uff3a");
  for (const typed of [name.normalize("NFD"), wide, `\u202a${name}\u202c`, `\ufeff${name} `]) {
    const login = await stack.api.logIn({ username: typed, password });
    expect(login.status, JSON.stringify(typed)).toBe(200);
  }
  for (const typed of [name.normalize("NFD"), wide])
    expectProblem(await add(typed), "username_taken");
});

describe("attack: a user name as a letter to the recipient of notices", () => {
  test.each([
    "your account was hacked, go to http://evil.example",
    "http://evil.example",
    "www.evil.example",
    "evil.example/login",
    "go to evil",
    "a".repeat(65),
    "x".repeat(300),
  ])("%j is refused, with the reason at the field", async (username) => {
    const { errors } = expectProblem(await add(username), "invalid_request");
    expect(errors).toMatchObject([{ path: "username" }]);
  });

  test("the length limit counts the name, not what was typed", async () => {
    const name = `${newId()}${"\u00e9".repeat(32)}`;
    expect([...name]).toHaveLength(64);
    expect((await add(name.normalize("NFD"))).body.username).toBe(name);
    expectProblem(await add(`${name}e`), "invalid_request");
  });
});

test("an older name with a space or a sign still logs in", async () => {
  for (const former of [`alice smith ${newId()}`, `\u265a${newId()}`, `a/b ${newId()}`]) {
    const at = new Date(stack.clock.now());
    const passwordHash = await hashPassword(password);
    const user = { accountId, username: former, passwordHash, role: "member", at } as const;
    expect(await createUser(stack.deps.db, user)).not.toBe("exists");
    for (const username of [former, former.toUpperCase(), ` ${former}`])
      expect((await stack.api.logIn({ username, password })).status, username).toBe(200);
  }
});

test("a name that nobody can have gets the same answer as an unknown one", async () => {
  const unknown = await stack.api.logIn({ username: newId(), password });
  for (const username of ["go to evil", "\u265a", "\u202e", "alice\u0660", "a".repeat(200)]) {
    const answer = await stack.api.logIn({ username, password });
    expect(answer.status, username).toBe(unknown.status);
    expect(expectProblem(answer, "invalid_credentials")).toEqual(unknown.problem);
  }
});
