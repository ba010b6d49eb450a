import { expect, test } from "vitest";
import type { EventType } from "../../store/events/event-types.ts";
import { newId } from "../../store/ids.ts";
import { createAccount, getAccount } from "../../store/postgres/accounts.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { setRole } from "../../store/postgres/users.ts";
import { loggedIn } from "../support/apps.ts";
import { otherType } from "../support/event-types.ts";
import type { Person } from "../support/people.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const stack = useStack({ environment: { SUPPORT_CONTACT: "mailto:help@panel.example" } });

/** The text of an activity's rows, without tags. */
async function rowsOf(web: WebClient, path: string): Promise<string[]> {
  const { html } = await web.open(path);
  const rows = html.slice(html.indexOf('<ul class="rows">')).split("<li>").slice(1);
  return rows.map((row) => row.replace(/<[^>]*>/g, " ").replace(/\s+/g, " "));
}

const rowWith = (rows: string[], text: string) => rows.find((row) => row.includes(text)) ?? "";

test("a link is recorded on both sides: which account, by whose administrator, and why another was refused", async () => {
  const { db } = stack.deps;
  const { user: bob, token } = await loggedIn(stack, "administrator");
  const panel = (await getAccount(db, bob.accountId))?.name ?? "";
  const name = `cloud-${newId()}`;
  const at = new Date(stack.clock.now());
  const cloud = await createAccount(db, { name, kind: "cloud", at });
  if (cloud === "exists") throw new Error("A random account name was taken");
  const owner = await stack.createUser({ accountId: cloud.id, role: "administrator" });
  const body = { username: owner.username, password: owner.password };
  for (const status of [201, 409])
    expect((await stack.api.call("POST", "/v1/account/links", { token, body })).status).toBe(
      status,
    );

  const ours = await rowsOf(webClient(stack, token), "/account/activity");
  expect(rowWith(ours, "Account linked")).toContain(`Account linked: ${name}`);
  const theirs = webClient(stack, (await logInByPassword(stack, owner)).token);
  for (const path of ["/activity", "/account/activity"]) {
    const rows = await rowsOf(theirs, path);
    const linked = rowWith(rows, "Linked by another account");
    expect(linked).toContain(`: ${panel}, by ${bob.username}`);
    const refused = rowWith(rows, "Account link refused");
    expect(refused).toContain("the account was linked already");
    expect(refused).toContain(`: ${panel}, by ${bob.username}`);
    expect(rows.join()).not.toMatch(/Support|linked_already/);
  }
});

test("a user's own activity names who else did something", async () => {
  const { user: bob, token } = await loggedIn(stack, "administrator");
  const member = await stack.createUser({ accountId: bob.accountId });
  const role = { token, body: { role: "administrator" } };
  await stack.api.call("PUT", `/v1/account/users/${member.id}/role`, role);
  const { token: support } = await loggedIn(stack, "support");
  await stack.api.call("GET", `/v1/support/users/${member.id}`, { token: support });
  const own = await rowsOf(
    webClient(stack, (await logInByPassword(stack, member)).token),
    "/activity",
  );
  expect(rowWith(own, "Role changed")).toContain("by an administrator of your account");
  expect(rowWith(own, "User looked up")).toContain("by Support");
  expect(rowWith(own, "Login succeeded")).not.toContain("by ");
  const seen = await rowsOf(webClient(stack, support), `/support/users/${member.id}`);
  expect(rowWith(seen, "Role changed")).toContain(`by ${bob.username}`);
});

test("what Support did stays Support's once the operator has another role; what they do then is their own", async () => {
  const { db } = stack.deps;
  const { user: bob, token } = await loggedIn(stack, "administrator");
  const member = await stack.createUser({ accountId: bob.accountId });
  const house = await stack.createUser({ role: "support", accountId: bob.accountId });
  const stranger = await stack.createUser({ role: "support" });
  const at = new Date(stack.clock.now());
  const doneBy = ({ id: actorId }: Person, type: EventType) =>
    recordEvent(db, {
      ...{ key: newId(), at, type, actorId },
      ...{ userId: member.id, accountId: member.accountId },
    });
  for (const operator of [house, stranger]) {
    await doneBy(operator, "user_looked_up");
    const { id: userId, accountId } = operator;
    const change = { key: newId(), at, userId, accountId, actorId: "command_line" };
    const role = "administrator";
    await setRole(db, { userId, role }, { ...change, type: "role_changed", detail: { role } });
  }
  await doneBy(house, "account_unlocked");
  const read = [
    await rowsOf(webClient(stack, (await logInByPassword(stack, member)).token), "/activity"),
    await rowsOf(webClient(stack, token), "/account/activity"),
    await rowsOf(
      webClient(stack, (await loggedIn(stack, "support")).token),
      `/support/users/${member.id}`,
    ),
  ];
  for (const rows of read) {
    const looks = rows.filter((row) => row.includes("User looked up")).slice(-2);
    expect(looks).toHaveLength(2);
    for (const row of looks) expect(row).toMatch(/by Support/);
  }
  const [own, account] = read;
  expect(rowWith(own ?? [], "Account unlocked")).toContain("by an administrator of your account");
  expect(rowWith(account ?? [], "Account unlocked")).toContain(`by ${house.username}`);
});

test("what an administrator of another account did names that account, also in an event that does not name the administrator", async () => {
  const { user: bob } = await loggedIn(stack, "administrator");
  const { user: owner, token } = await loggedIn(stack, "administrator");
  await recordEvent(stack.deps.db, {
    ...{ key: newId(), at: new Date(stack.clock.now()), type: "linked_by_account" as const },
    ...{ userId: owner.id, accountId: owner.accountId, actorId: bob.id },
  });
  const panel = (await getAccount(stack.deps.db, bob.accountId))?.name;
  for (const path of ["/activity", "/account/activity"]) {
    const linked = rowWith(await rowsOf(webClient(stack, token), path), "Linked by another");
    expect(linked).toContain(`by an administrator of ${panel}`);
    expect(linked).not.toContain(bob.username);
  }
});

test("an event type of another version begins with a capital, like every other", async () => {
  const { user, token } = await loggedIn(stack, "member");
  const { id: userId, accountId } = user;
  const at = new Date(stack.clock.now());
  const type = otherType("passkey_used");
  await recordEvent(stack.deps.db, { key: newId(), at, type, accountId, userId, actorId: userId });
  expect(rowWith(await rowsOf(webClient(stack, token), "/activity"), "asskey")).toMatch(
    /^ *Passkey used/,
  );
});

test("Activity leads to Support, to the sessions and to the change of the password", async () => {
  const { token } = await loggedIn(stack, "member");
  const { html } = await webClient(stack, token).open("/activity");
  expect(html).toContain('<a href="mailto:help@panel.example">help@panel.example</a>');
  for (const path of ["/sessions", "/sessions/password"]) expect(html).toContain(`href="${path}"`);
});

test("a reload or a refusal on a user's page is no second look by Support; a later visit is", async () => {
  const user = await stack.createUser();
  const looks = async () =>
    (await listEvents(stack.deps.db, { userId: user.id, types: ["user_looked_up"], limit: 9 }))
      .events.length;
  const web = webClient(stack, (await loggedIn(stack, "support")).token);
  const path = `/support/users/${user.id}`;
  for (const _ of ["opened", "reloaded"]) await web.open(path);
  await web.send(`${path}/unlock`, { once: newId(), "unlock-reason": "" });
  expect(await looks()).toBe(1);
  const other = webClient(stack, (await loggedIn(stack, "support")).token);
  await other.open(path);
  expect(await looks()).toBe(2);
  await stack.advance(10 * 60_000);
  await other.open(path);
  expect(await looks()).toBe(3);
});
