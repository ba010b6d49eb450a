import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { createAccount, getAccount } from "../../store/postgres/accounts.ts";
import { loggedIn } from "../support/apps.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const stack = useStack();

const words = (html: string) => html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

/** An administrator of a new Cloud account. */
async function cloudAdministrator() {
  const at = new Date(stack.clock.now());
  const name = `cloud-${newId()}`;
  const account = await createAccount(stack.deps.db, { name, kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  return stack.createUser({ accountId: account.id, role: "administrator" });
}

const link = (web: WebClient, { username, password }: { username: string; password: string }) =>
  web.send("/account/links", { once: newId(), username, password });

test("a refused link names all that the Cloud account's setting and administrators must be", async () => {
  const web = webClient(stack, (await loggedIn(stack, "administrator")).token);
  const owner = await cloudAdministrator();
  await enrollPhone(stack, await stack.createUser({ ...owner, role: "administrator" }));
  const refused = (await link(web, owner)).notices.join();
  expect(refused).toContain("must be Optional, and none of its administrators may have a device");
  const hint = words((await web.open("/account/links/new")).html);
  expect(hint).toContain("Optional, and none of its administrators has a device");
});

test("a Cloud account shows by which accounts it is linked, and links none itself", async () => {
  const { db } = stack.deps;
  const owner = await cloudAdministrator();
  const theirs = webClient(stack, (await logInByPassword(stack, owner)).token);
  expect(words((await theirs.open("/account/links")).html)).toContain("Not linked by any account");
  const names: string[] = [];
  for (const _account of [1, 2]) {
    const { user, token } = await loggedIn(stack, "administrator");
    names.push((await getAccount(db, user.accountId))?.name ?? "");
    expect((await link(webClient(stack, token), owner)).at).toBe("/account/links");
    await stack.advance(1000);
  }
  const { html } = await theirs.open("/account/links");
  expect(words(html)).toContain(`Linked by ${names.join(", ")}.`);
  expect(html).not.toContain("/account/links/new");
});

test("attack: a Cloud account links another, by the page or by the API", async () => {
  const [owner, other] = [await cloudAdministrator(), await cloudAdministrator()];
  const { token } = await logInByPassword(stack, owner);
  const web = webClient(stack, token);
  const form = await web.open("/account/links/new");
  expect([form.status, form.heading]).toEqual([403, "You don't have access"]);
  expect(words(form.html)).toContain("A Cloud account cannot link other accounts.");
  expect((await link(web, other)).status).toBe(403);
  // The answer is the same for a wrong password, so it tells nothing about the other account.
  for (const password of [other.password, "wrong"]) {
    const body = { username: other.username, password };
    const answer = await stack.api.call("POST", "/v1/account/links", { token, body });
    expectProblem(answer, "forbidden");
  }
  const { token: others } = await logInByPassword(stack, other);
  const activity = words((await webClient(stack, others).open("/activity")).html);
  expect(activity).not.toMatch(/Account link refused|Login failed/);
});
