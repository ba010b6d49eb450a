import { describe, expect, test } from "vitest";
import type { activity } from "../../api/events.ts";
import type { Link } from "../../api/links.ts";
import { newId } from "../../store/ids.ts";
import { createAccount, getAccount, setPolicy } from "../../store/postgres/accounts.ts";
import { loggedIn } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, startChallenge, wrongCode } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const WINDOW_MS = 15 * 60_000;

const stack = useStack();

type Login = { username: string; password: string };

const link = (token: string, { username, password }: Login) =>
  stack.api.call<Link>("POST", "/v1/account/links", { token, body: { username, password } });

const links = async (token: string) =>
  (await stack.api.call<{ links: Link[] }>("GET", "/v1/account/links", { token })).body.links;

async function administrator() {
  const user = await stack.createUser({ role: "administrator" });
  return { user, token: (await logInByPassword(stack, user)).token };
}

async function cloudUser(): Promise<Person & { accountName: string }> {
  const accountName = `cloud-${newId()}`;
  const at = new Date(stack.clock.now());
  const account = await createAccount(stack.deps.db, { name: accountName, kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  return { ...(await stack.createUser({ accountId: account.id })), accountName };
}

describe("attack: learning about Cloud users by linking", () => {
  test("a wrong password is answered as at a login, whoever it is for", async () => {
    const { token } = await administrator();
    const plain = await cloudUser();
    const paired = await cloudUser();
    await enrollPhone(stack, paired);
    const panel = await stack.createUser();
    const atLogin = await stack.api.logIn({ username: `nobody-${newId()}`, password: "wrong" });
    for (const { username } of [plain, paired, panel, { username: `nobody-${newId()}` }]) {
      const answer = await link(token, { username, password: "wrong" });
      expectProblem(answer, "invalid_credentials");
      expect(answer.text).toBe(atLogin.text);
    }
    expect(await links(token)).toEqual([]);
  });

  test("guesses are spent from the same budgets as at a login", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    const wrong = { ...cloud, password: "wrong" };
    for (let guess = 0; guess < 5; guess++) {
      expectProblem(await link(token, wrong), "invalid_credentials");
      expectProblem(await stack.api.logIn(wrong), "invalid_credentials");
    }
    expectProblem(await link(token, cloud), "login_throttled");
    expectProblem(await stack.api.logIn(cloud), "login_throttled");
    await stack.advance(WINDOW_MS);
  });

  test("the lock is told after the right password only", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    const { e164 } = await enrollPhone(stack, cloud);
    const { id } = await startChallenge(stack, cloud);
    const passcode = await stack.passcodeTo(e164);
    for (let guess = 1; guess <= 7; guess++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
    expectProblem(await link(token, { ...cloud, password: "wrong" }), "invalid_credentials");
    expectProblem(await link(token, cloud), "account_locked");
  });

  test("only administrators may try, and nothing is spent by others", async () => {
    const cloud = await cloudUser();
    for (const role of ["member", "support"] as const) {
      const { token } = await loggedIn(stack, role);
      for (let guess = 0; guess < 12; guess++) expectProblem(await link(token, cloud), "forbidden");
      expectProblem(await stack.api.call("GET", "/v1/account/links", { token }), "forbidden");
    }
    expect((await link((await administrator()).token, cloud)).status).toBe(201);
  });
});

describe("linking a Cloud account", () => {
  test("makes a link that the account lists, and both trails tell of it", async () => {
    const { user, token } = await administrator();
    const [first, second] = [await cloudUser(), await cloudUser()];
    const made = { accountId: first.accountId, name: first.accountName, kind: "cloud" };
    expect(await link(token, first)).toMatchObject({ status: 201, body: made });
    await stack.advance(1000);
    await link(token, { ...second, username: second.username.toUpperCase() });
    expect(await links(token)).toEqual([
      made,
      expect.objectContaining({ name: second.accountName }),
    ]);

    type Page = Awaited<ReturnType<typeof activity>>;
    const events = async (who: string, type: string) =>
      (await stack.api.call<Page>("GET", `/v1/me/activity?type=${type}`, { token: who })).body
        .events;
    expect((await events(token, "account_linked"))[1]).toMatchObject({
      actorId: user.id,
      detail: { linkedAccountId: first.accountId },
    });
    const theirs = await logInByPassword(stack, first);
    expect(await events(theirs.token, "linked_by_account")).toMatchObject([
      { actorId: user.id, accountId: first.accountId, detail: { linkedTo: user.accountId } },
    ]);
  });

  test("makes one link, also of ten requests at once; then it is linked already", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    const answers = await Promise.all(Array.from({ length: 8 }, () => link(token, cloud)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      expectProblem(answer, "linked_already");
    expect(await links(token)).toHaveLength(1);
  });

  test("is refused while that user has a verified device, or that account requires one", async () => {
    const { token } = await administrator();
    const paired = await cloudUser();
    await enrollPhone(stack, paired);
    expectProblem(await link(token, paired), "linked_account_has_mfa");
    const strict = await cloudUser();
    const { accountId } = strict;
    const version = (await getAccount(stack.deps.db, accountId))?.policyVersion ?? 0;
    await setPolicy(
      stack.deps.db,
      { accountId, requirement: "required", enforceAfter: null, version },
      { key: newId(), at: new Date(stack.clock.now()), type: "policy_changed", accountId },
    );
    expectProblem(await link(token, strict), "linked_account_has_mfa");
    expect(await links(token)).toEqual([]);
  });

  test("is no way to link one's own account, or one that is no Cloud account", async () => {
    const { user, token } = await administrator();
    expectProblem(await link(token, user), "cannot_link_itself");
    const colleague = await stack.createUser({ accountId: user.accountId });
    expectProblem(await link(token, colleague), "cannot_link_itself");
    expectProblem(await link(token, await stack.createUser()), "not_a_cloud_account");
  });

  test("takes no nonsense for credentials", async () => {
    const { token } = await administrator();
    for (const body of [{}, { username: "x" }, { username: "", password: "x" }, { username: 1 }])
      expectProblem(
        await stack.api.call("POST", "/v1/account/links", { token, body }),
        "invalid_request",
      );
  });
});

describe("a linked account's multi-factor authentication", () => {
  const policy = (token: string, method: string, id: string) =>
    stack.api.call(method, `/v1/account/links/${id}/multi-factor-policy`, {
      token,
      body: method === "PUT" ? { requirement: "required" } : undefined,
    });

  test("is configured by its own users, and the API says so; nothing changes", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    await link(token, cloud);
    for (const method of ["GET", "PUT"]) {
      const refused = expectProblem(
        await policy(token, method, cloud.accountId),
        "cloud_account_own_login",
      );
      expect(refused.detail).toContain(cloud.accountName);
      expect(refused.detail).toContain("log in");
    }
    expect((await logInByPassword(stack, cloud)).scope).toBe("full");
  });

  test("is there for linked accounts alone", async () => {
    const { user, token } = await administrator();
    const stranger = await cloudUser();
    for (const id of [stranger.accountId, user.accountId, "x", "%00", newId()])
      for (const method of ["GET", "PUT"])
        expectProblem(await policy(token, method, id), "link_not_found");
    const member = await logInByPassword(stack, await stack.createUser());
    expectProblem(await policy(member.token, "PUT", stranger.accountId), "forbidden");
  });
});
