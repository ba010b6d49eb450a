import { describe, expect, test } from "vitest";
import type { Link } from "../../core/account/links.ts";
import type { listAudit } from "../../core/audit.ts";
import { newId } from "../../store/ids.ts";
import { createAccount, getAccount, setPolicy } from "../../store/postgres/accounts.ts";
import type { UserRequirement } from "../../store/postgres/schema.ts";
import { setRequirement } from "../../store/postgres/users.ts";
import { loggedIn } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, startChallenge, wrongCode } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

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

/** An administrator of a new Cloud account. */
async function cloudUser(): Promise<Person & { accountName: string }> {
  const accountName = `cloud-${newId()}`;
  const at = new Date(stack.clock.now());
  const account = await createAccount(stack.deps.db, { name: accountName, kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  const administrator = { accountId: account.id, role: "administrator" } as const;
  return { ...(await stack.createUser(administrator)), accountName };
}

/** Gives the user a requirement that overrides the account's. */
function requireOf({ id: userId, accountId }: Person, requirement: UserRequirement) {
  const at = new Date(stack.clock.now());
  const event = { key: newId(), at, type: "user_requirement_changed", accountId, userId } as const;
  return setRequirement(stack.deps.db, { userId, requirement }, event);
}

describe("attack: learning about Cloud users by linking", () => {
  test("a wrong password gets the same answer as at a login, for every user", async () => {
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

  test("guesses use the same budgets as at a login", async () => {
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

  test("the lock is shown only after the right password", async () => {
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

  test("only administrators may try; the attempts of others cost nothing", async () => {
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
  test("makes a link that the account lists, and both audit trails record it", async () => {
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

    type Page = Awaited<ReturnType<typeof listAudit>>;
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

  test("tells the owner who linked the account, and from where", async () => {
    const { user, token } = await administrator();
    const [cloud, panel] = [await cloudUser(), await stack.createUser({ role: "administrator" })];
    const { name } = (await getAccount(stack.deps.db, user.accountId)) ?? {};
    const behind = gatewayOver(stack, { config: { ...stack.deps.config, TRUSTED_PROXIES: 1 } });
    const headers = { "x-forwarded-for": "203.0.113.7", "user-agent": "Linker/1.0" };
    for (const { username, password } of [cloud, panel])
      await behind.call("POST", "/v1/account/links", {
        ...{ token, headers, body: { username, password } },
      });
    for (const [owner, type] of [
      [cloud, "linked_by_account"],
      [panel, "account_link_refused"],
    ] as const) {
      const theirs = (await logInByPassword(stack, owner)).token;
      for (const path of ["/v1/me/activity", "/v1/account/activity"]) {
        const { events } = (
          await stack.api.call<Awaited<ReturnType<typeof listAudit>>>(
            "GET",
            `${path}?type=${type}`,
            {
              token: theirs,
            },
          )
        ).body;
        expect(events, path).toMatchObject([
          {
            ...{ ip: "203.0.113.7", userAgent: "Linker/1.0", actorId: user.id },
            detail: { linkedTo: user.accountId, account: name, by: user.username },
          },
        ]);
      }
      const browser = webClient(stack, theirs);
      for (const path of ["/activity?kind=account", "/account/activity?kind=account"]) {
        const { html } = await browser.open(path);
        expect(html, path).toContain(`${name}, by ${user.username}`);
        expect(html, path).toContain("203.0.113.7");
        expect(html, path).not.toContain("by Support");
      }
    }
  });

  test("makes one link, also for ten requests at once; after that it is linked already", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    const answers = await Promise.all(Array.from({ length: 10 }, () => link(token, cloud)));
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
    // Also refused if the account's requirement exempts its administrators.
    await requireOf(strict, "optional");
    expectProblem(await link(token, strict), "linked_account_has_mfa");
    expect(await links(token)).toEqual([]);
  });

  test("is refused while an administrator of that account has a verified device, or must have one", async () => {
    const { token } = await administrator();
    const [paired, bound] = [await cloudUser(), await cloudUser()];
    const colleague = ({ accountId }: Person) =>
      stack.createUser({ accountId, role: "administrator" });
    await enrollPhone(stack, await colleague(paired));
    await requireOf(await colleague(bound), "required");
    for (const cloud of [paired, bound])
      expectProblem(await link(token, cloud), "linked_account_has_mfa");
    // A member's device does not matter for the link.
    const plain = await cloudUser();
    await enrollPhone(stack, await stack.createUser({ accountId: plain.accountId }));
    expect((await link(token, plain)).status).toBe(201);
  });

  test("needs an administrator of that account: a member's password links nothing", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    const member = await stack.createUser({ accountId: cloud.accountId });
    const wrong = await link(token, { ...member, password: "wrong" });
    expectProblem(wrong, "invalid_credentials");
    expectProblem(await link(token, member), "not_cloud_administrator");
    expect(await links(token)).toEqual([]);
  });

  test("with the right password leaves an event with its owner, also if it is refused", async () => {
    const { user, token } = await administrator();
    const [cloud, panel] = [await cloudUser(), await stack.createUser()];
    const member = await stack.createUser({ accountId: cloud.accountId });
    await link(token, cloud);
    for (const [owner, reason] of [
      [cloud, "linked_already"],
      [member, "not_cloud_administrator"],
      [panel, "not_a_cloud_account"],
      [await stack.createUser({ accountId: user.accountId }), "cannot_link_itself"],
    ] as const) {
      expectProblem(await link(token, owner), reason);
      const { token: theirs } = await logInByPassword(stack, owner);
      const path = "/v1/me/activity?type=account_link_refused";
      type Page = Awaited<ReturnType<typeof listAudit>>;
      const { events } = (await stack.api.call<Page>("GET", path, { token: theirs })).body;
      const detail = { reason, linkedTo: user.accountId };
      expect(events).toMatchObject([{ actorId: user.id, detail }]);
    }
  });

  test("needs a login of the last fifteen minutes, which is checked before any guess", async () => {
    const { token } = await administrator();
    const cloud = await cloudUser();
    await stack.advance(WINDOW_MS + 1);
    for (let guess = 0; guess < 12; guess++)
      expectProblem(
        await link(token, { ...cloud, password: "wrong" }),
        "reauthentication_required",
      );
    expectProblem(await link(token, cloud), "reauthentication_required");
    expect(await links(token)).toEqual([]);
    expect((await link((await administrator()).token, cloud)).status).toBe(201);
  });

  test("is impossible for one's own account, and for one that is no Cloud account", async () => {
    const { user, token } = await administrator();
    expectProblem(await link(token, user), "cannot_link_itself");
    const colleague = await stack.createUser({ accountId: user.accountId });
    expectProblem(await link(token, colleague), "cannot_link_itself");
    expectProblem(await link(token, await stack.createUser()), "not_a_cloud_account");
  });

  test("refuses nonsense as credentials", async () => {
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

  test("is configured by its own users; the API says so and changes nothing", async () => {
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

  test("exists for linked accounts only", async () => {
    const { user, token } = await administrator();
    const stranger = await cloudUser();
    for (const id of [stranger.accountId, user.accountId, "x", "%00", newId()])
      for (const method of ["GET", "PUT"])
        expectProblem(await policy(token, method, id), "link_not_found");
    const member = await logInByPassword(stack, await stack.createUser());
    expectProblem(await policy(member.token, "PUT", stranger.accountId), "forbidden");
  });
});
