// I have the password of a Cloud account's administrator, who is setting up a second factor right
// now. I link the account at the same moment. Whichever request is second must see the first.
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { createAccount, holdAccount } from "../../store/postgres/accounts.ts";
import { verifyDevice } from "../../store/postgres/devices.ts";
import { accountLinks, devices, events } from "../../store/postgres/schema.ts";
import { codeAt, registerApp } from "../support/apps.ts";
import { expectProblem } from "../support/problems.ts";
import { isDone, logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { waitingOrSettled } from "../support/waiting.ts";

const stack = useStack();

async function linker() {
  const user = await stack.createUser({ role: "administrator" });
  return { user, token: (await logInByPassword(stack, user)).token };
}

/** A Cloud account with two administrators. One has begun to set up an app. */
async function cloudAccount() {
  const at = new Date(stack.clock.now());
  const account = await createAccount(stack.deps.db, { name: newId(), kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  const chief = await stack.createUser({ accountId: account.id, role: "administrator" });
  const other = await stack.createUser({ accountId: account.id, role: "administrator" });
  const { token } = await logInByPassword(stack, other);
  const app = await registerApp(stack, token);
  const verify = () =>
    stack.api.verifyDevice(token, app.device.id, codeAt(app.secret, stack.clock.now()));
  return { accountId: account.id, chief, other, app, verify };
}

type Login = { username: string; password: string };
const link = (token: string, { username, password }: Login) =>
  stack.api.call("POST", "/v1/account/links", { token, body: { username, password } });

describe("attack: a link races a verification", () => {
  test("that is about to be written: the link waits for it, and is refused", async () => {
    const { db, clock } = stack.deps;
    const { token } = await linker();
    const { accountId, chief, other, app } = await cloudAccount();
    let linked: ReturnType<typeof link> | undefined;
    await db.transaction(async (tx) => {
      const proof = { userId: other.id, deviceId: app.device.id, makeDefault: true };
      const event = { key: newId(), at: new Date(clock.now()), type: "device_verified" } as const;
      const of = { accountId, userId: other.id };
      await verifyDevice(tx, { ...proof, at: event.at }, { ...event, ...of });
      linked = link(token, chief);
      expect(await waitingOrSettled(stack, 1, linked)).toBe(false);
    });
    if (!linked) throw new Error("Nothing was linked");
    expectProblem(await linked, "linked_account_has_mfa");
  });

  test("that comes while the link is written: it waits until both audit trails have the link", async () => {
    const { db, clock } = stack.deps;
    const { user, token } = await linker();
    const { accountId, chief, app, verify } = await cloudAccount();
    const row = {
      ...{ accountId: user.accountId, linkedAccountId: accountId, linkedBy: user.id },
      createdAt: new Date(clock.now()),
    };
    const isVerified = async () =>
      (await db.select().from(devices).where(sql`${devices.id} = ${app.device.id}`))[0]
        ?.verifiedAt != null;
    let linked: ReturnType<typeof link> | undefined;
    let verified: ReturnType<typeof verify> | undefined;
    const undone = db.transaction(async (tx) => {
      // The link request finds the same link in an open transaction, and waits for its end.
      await tx.insert(accountLinks).values(row);
      linked = link(token, chief);
      expect(await waitingOrSettled(stack, 1, linked)).toBe(false);
      verified = verify();
      expect(await waitingOrSettled(stack, 2, verified)).toBe(false);
      expect(await isVerified()).toBe(false);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
    expect((await linked)?.status).toBe(201);
    expect(verified && isDone(await verified)).toBe(true);
    const recorded = await db.select().from(events).where(sql`${events.accountId} = ${accountId}`);
    const order = recorded.sort((a, b) => a.id - b.id).map(({ type }) => type);
    expect(order.indexOf("linked_by_account")).toBeLessThan(order.indexOf("device_verified"));
  });

  test("at once, again and again: no account is linked whose administrator has verified a device before", async () => {
    const { db } = stack.deps;
    for (let round = 0; round < 5; round++) {
      const { token } = await linker();
      const { accountId, chief, verify } = await cloudAccount();
      const [answer, proof] = await Promise.all([link(token, chief), verify()]);
      expect(isDone(proof)).toBe(true);
      const recorded = await db
        .select()
        .from(events)
        .where(sql`${events.accountId} = ${accountId}`);
      const at = (wanted: string) => recorded.find(({ type }) => type === wanted)?.id;
      if (answer.status === 201) {
        const [link = 0, proof = 0] = [at("linked_by_account"), at("device_verified")];
        expect(link).toBeGreaterThan(0);
        expect(link).toBeLessThan(proof);
      } else {
        expectProblem(answer, "linked_account_has_mfa");
        expect(at("account_link_refused")).toBeGreaterThan(at("device_verified") ?? 0);
      }
    }
  });
});

describe("the pages", () => {
  const SITE = "https://mfa.example";
  const send = (path: string, token: string, fields?: Record<string, string>) =>
    stack.app.request(`${SITE}${path}`, {
      headers: {
        cookie: `__Host-session=${token}`,
        ...(fields && {
          "content-type": "application/x-www-form-urlencoded",
          "sec-fetch-site": "same-origin",
        }),
      },
      ...(fields && { method: "POST", body: new URLSearchParams(fields) }),
    });

  test("link an account, say why one cannot be linked, and list it; the password is never shown", async () => {
    const { user, token } = await linker();
    const { chief, accountId } = await cloudAccount();
    expect(await (await send("/account", token)).text()).toContain('href="/account/links"');
    expect(await (await send("/account/links", token)).text()).toContain("No linked accounts yet");
    expect(await (await send("/account/links/new", token)).text()).toContain(
      "Password in the Cloud account",
    );
    const wrong = { username: chief.username, password: "a wrong password" };
    for (const [fields, message] of [
      [wrong, "The user name or password is wrong"],
      [{ username: user.username, password: user.password }, "belongs to your own account"],
    ] as const) {
      const html = await wordsOf(await send("/account/links", token, fields), token);
      expect(html).toContain(message);
      expect(html).toContain(fields.username);
      expect(html).not.toContain(fields.password);
    }
    const right = { username: chief.username, password: chief.password };
    const done = await send("/account/links", token, right);
    expect(done.status).toBe(303);
    expect(done.headers.get("location")).toMatch(/^\/account\/links/);
    expect(await (await send("/account/links", token)).text()).toContain(accountId);
  });

  test("tell the linked user, in words, about a link that failed because its session had ended", async () => {
    const { token } = await linker();
    const { accountId, chief } = await cloudAccount();
    let linked: ReturnType<typeof link> | undefined;
    await stack.deps.db.transaction(async (tx) => {
      await holdAccount(tx, accountId);
      linked = link(token, chief);
      expect(await waitingOrSettled(stack, 1, linked)).toBe(false);
      await stack.api.logOut(token);
    });
    expectProblem((await linked) as Awaited<typeof linked> & object, "session_revoked");
    const theirs = (await logInByPassword(stack, chief)).token;
    const html = await (await send("/activity", theirs)).text();
    expect(html).toContain("the session that asked was ended");
    expect(html).not.toContain("session_revoked");
  });

  test("are for administrators with a recent login", async () => {
    const member = await logInByPassword(stack, await stack.createUser());
    for (const path of ["/account/links", "/account/links/new"])
      expect((await send(path, member.token)).status).toBe(403);
    const { chief } = await cloudAccount();
    const { token } = await linker();
    await stack.advance(15 * 60_000 + 1);
    expect((await send("/account/links", token)).status).toBe(200);
    const fields = { username: chief.username, password: chief.password };
    for (const answer of [
      await send("/account/links/new", token),
      await send("/account/links", token, fields),
    ]) {
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")).toMatch(/^\/login\?again/);
    }
    expect(await (await send("/account/links", token)).text()).toContain("No linked accounts yet");
  });

  /** The text of a refused form's page, which is the answer itself or the page it redirects to. */
  async function wordsOf(answer: Response, token: string): Promise<string> {
    const location = answer.headers.get("location");
    if (!location) return answer.text();
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
    const cookie = [`__Host-session=${token}`, ...cookies].join("; ");
    return (await stack.app.request(`${SITE}${location}`, { headers: { cookie } })).text();
  }
});
