// A form is sent while a part of the service is down. When it is back, the typed text is still
// there.
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { lockUser } from "../../store/postgres/users.ts";
import { loggedIn, userWithApp, verifiedApp } from "../support/apps.ts";
import { newPhone } from "../support/phones.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../support/used.ts";
import { type WebClient, type WebPage, webClient } from "../support/web.ts";

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);

type Part = keyof typeof gateway.links;

afterEach(async () => {
  await Promise.all(Object.values(gateway.links).map((link) => link.mend()));
});

/** Waits until the service is back. Returns the page. */
const back = (web: WebClient, path: string) =>
  until(
    () => web.open(path),
    ({ status }) => status < 500,
  );

describe("a form that meets an outage keeps everything that was typed or chosen, except secrets", () => {
  type Case = {
    name: string;
    role?: Role;
    /** Whether the request needs Temporal in addition to the stores. */
    temporal?: true;
    page: string;
    action: string;
    typed: Record<string, string>;
    secret?: string[];
    /** The page that it leads to when sent again. */
    to?: RegExp;
  };
  const { countryCode, phoneNumber } = newPhone();
  const table: Case[] = [
    {
      name: "the account's requirement",
      role: "administrator",
      page: "/account/requirement",
      action: "/account",
      typed: { requirement: "required", enforceAfter: "30" },
      to: /^\/account$/,
    },
    {
      name: "a new user",
      role: "administrator",
      page: "/account/users/new",
      action: "/account/users",
      typed: { username: "zoë.o'hara", email: "zoe@example.com", password: "a long enough one" },
      secret: ["password"],
      to: /^\/account\/users$/,
    },
    {
      name: "a webhook",
      role: "administrator",
      page: "/account/webhooks/new",
      action: "/account/webhooks",
      typed: { url: "https://receiver.example/events?a=1&b=2", types: "login_failed" },
      to: /\/secret$/,
    },
    {
      name: "a Cloud account",
      role: "administrator",
      page: "/account/links/new",
      action: "/account/links",
      typed: { username: "somebody", password: "a wrong one" },
      secret: ["password"],
    },
    {
      name: "an email address",
      page: "/devices/email",
      action: "/devices/email",
      typed: { email: "alice@example.com" },
      to: /^\/devices$/,
    },
    {
      name: "a phone",
      temporal: true,
      page: "/devices/sms/new",
      action: "/devices/sms",
      typed: { countryCode, phoneNumber },
      to: /^\/devices\/sms\/\w+$/,
    },
    {
      name: "an app",
      temporal: true,
      page: "/devices/otp/new",
      action: "/devices/otp",
      typed: { name: "work phone" },
      to: /^\/devices\/otp\/\w+$/,
    },
    {
      name: "a login",
      page: "/login?again&to=%2Factivity%3Fkind%3Dlogins",
      action: "/login",
      typed: { username: "nobody", password: "wrong", to: "/activity?kind=logins", again: "" },
      secret: ["password"],
    },
  ];
  const cases = table.flatMap((one) => {
    const away: Part[] = ["redis", "postgresql", ...(one.temporal ? ["temporal" as const] : [])];
    const { username } = one.typed;
    // Each case needs its own user name.
    return away.map((part) => ({
      ...one,
      part,
      typed: { ...one.typed, ...(username && { username: `${username}-${part}` }) },
    }));
  });

  test.each(cases)("$name, without $part", async ({ part, role = "member", ...form }) => {
    const { page, action, typed, secret = [], to } = form;
    const { token } = await loggedIn(stack, role);
    const web = webClient(gateway, token);
    const opened = await web.open(page);
    const fields = opened.forms.find((one) => one.action === action)?.fields;
    await gateway.links[part].cut();
    const answer = await web.send(action, { ...fields, ...typed });
    expect(answer.status).toBe(503);
    expect(answer.first.headers.get("retry-after")).toMatch(/^[1-9]/);
    expect(answer.html).toContain("We kept what you typed, but no passwords or codes.");
    const [, way = ""] = /<a class="button" href="([^"]*)">Go back/.exec(answer.html) ?? [];
    // A retry that comes too early loses nothing, and its page has the link again.
    const early = await web.open(way.replaceAll("&amp;", "&"));
    if (early.status === 503) expect(early.html).toContain(`href="${way}">Try again`);
    const isTold = early.status === 200;
    await gateway.links[part].mend();

    const again = isTold ? early : await back(web, way.replaceAll("&amp;", "&"));
    expect(again.at.split("?")[0]).toBe(page.split("?")[0]);
    expect(again.title).toMatch(/^Error: /);
    expect(again.notices.join()).toContain(
      "Part of the service was not available. Wait a moment, then try again.",
    );
    const kept = again.forms.find((one) => one.action === action)?.fields;
    for (const [name, value] of Object.entries(typed)) {
      if (secret.includes(name)) expect(again.html, name).not.toContain(value);
      else expect(kept?.[name], name).toBe(value);
    }
    if (to) expect((await web.send(action, { ...kept, ...typed })).at).toMatch(to);
  });

  test("Support's reason", async () => {
    const { token } = await loggedIn(stack, "support");
    const { user } = await userWithApp(stack);
    const { id: userId, accountId } = user;
    const at = new Date(stack.clock.now());
    const event = { key: newId(), at, accountId, userId, type: "account_locked" } as const;
    await lockUser(stack.deps.db, { userId, at }, event);
    const web = webClient(gateway, token);
    for (const action of ["unlock", "reset"]) {
      await gateway.links.postgresql.cut();
      const field = `${action}-reason`;
      const typed = { [field]: "Called back" };
      const answer = await web.send(`/support/users/${user.id}/${action}`, typed);
      expect(answer.status).toBe(503);
      await gateway.links.postgresql.mend();
      const page = action === "reset" ? "/reset" : "";
      const again = await back(web, `/support/users/${user.id}${page}`);
      expect(again.inputs[field]?.value).toBe("Called back");
    }
  });

  test("a challenge: keeps the choice of a recovery code and where it leads, but not the code", async () => {
    const { user } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    const web = webClient(gateway);
    await gateway.links.redis.cut();
    const typed = { with: "recovery", to: "/activity", passcode: "aaaa-bbbb-cccc-dddd" };
    const answer = await web.send(`/login/${id}/verify`, typed);
    expect(answer.status).toBe(503);
    expect(answer.html).not.toContain("aaaa-bbbb");
    await gateway.links.redis.mend();
    const [, way = ""] = /<a class="button" href="([^"]*)">Go back/.exec(answer.html) ?? [];
    const again = await back(web, way.replaceAll("&amp;", "&"));
    expect(again.heading).toBe("Enter a recovery code");
    const form = again.forms.find(({ action }) => action === `/login/${id}/verify`);
    expect(form?.fields.to).toBe("/activity");
    expect(again.html).not.toContain("aaaa-bbbb");
  });

  test("a question without typed text is asked again", async () => {
    const { token } = await loggedIn(stack, "member");
    const web = webClient(gateway, token);
    await gateway.links.postgresql.cut();
    const answer = await web.send("/devices/remove-all", {});
    expect(answer.html).not.toContain("We kept what you typed");
    expect(answer.html).toContain('href="/devices/remove-all">Go back and try again');
  });
});

describe("what is shown only once", () => {
  const CODES = "/devices/recovery-codes";

  async function protectedBrowser() {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    await verifiedApp(stack, token, false);
    return webClient(gateway, token);
  }

  const codesOn = ({ html }: WebPage) =>
    /id="codes">(.*?)<\/ul>/s.exec(html)?.[1]?.match(/<li>/g)?.length ?? 0;

  test("recovery codes that were made while Redis went away are shown when it is back", async () => {
    const web = await protectedBrowser();
    const { forms } = await web.open(`${CODES}/new`);
    const fields = forms.find(({ action }) => action === CODES)?.fields;
    const client = new pg.Client({ connectionString: stack.deps.config.DATABASE_URL });
    await client.connect();
    try {
      await client.query("begin; lock table events in access exclusive mode");
      const body = new URLSearchParams(fields);
      const sent = web.once(CODES, { method: "POST", body });
      // Waits until the codes are about to be written, before the answer is stored.
      await until(
        async () => {
          // Without this, a transaction always sees the same snapshot of the others.
          await client.query("select pg_stat_clear_snapshot()");
          return (await client.query(WAITING)).rowCount;
        },
        (waiting) => waiting === 1,
      );
      await gateway.links.redis.cut();
      await client.query("rollback");
      expect((await sent).status).toBe(303);
    } finally {
      await client.end();
    }
    expect((await web.open(CODES)).status).toBe(503);
    await gateway.links.redis.mend();
    expect(codesOn(await back(web, CODES))).toBe(10);
    const late = await web.open(CODES);
    expect(late.at).toBe("/devices");
    expect(late.notices).toEqual([
      "Recovery codes are shown only once, when they are made. If you did not save yours, generate new ones.",
    ]);
  });

  test("if recovery codes may have been made, the page says that the old ones may be void", async () => {
    const web = await protectedBrowser();
    await gateway.links.postgresql.cut();
    const answer = await web.send(CODES, { quantity: "5" });
    const words = "Your old codes may no longer work, so generate new ones now.";
    expect(answer.html).toContain(words);
    await gateway.links.postgresql.mend();
    const again = await back(web, `${CODES}/new`);
    expect(again.notices.join()).toContain(words);
    expect(again.inputs.quantity?.value).toBe("5");
  });

  test("an app's secret that nobody saw is replaced by a new one, and the page says so", async () => {
    const { token } = await loggedIn(stack, "member");
    const web = webClient(gateway, token);
    await gateway.links.postgresql.cut();
    const unsure = await web.send("/devices/otp", { name: "work phone" });
    expect(unsure.html).toContain("verify it there with a new QR code");
    await gateway.links.postgresql.mend();
    await back(web, "/devices");
    const made = await web.send("/devices/otp", { name: "work phone" });
    expect(made.html).toContain('id="secret"');

    await gateway.links.postgresql.cut();
    const restart = `${made.at}/restart`;
    const late = await web.send(restart, {});
    expect(late.html).toContain("The old QR code may no longer work, so create a new one now.");
    await gateway.links.postgresql.mend();
    const page = await back(web, made.at);
    expect(page.forms.map(({ action }) => action)).toContain(restart);
    expect((await web.send(restart, {})).html).toContain('id="secret"');
  });

  test("a webhook's secret that nobody saw is called lost, with the way to a new one", async () => {
    const { token } = await loggedIn(stack, "administrator");
    const web = webClient(gateway, token);
    const typed = { url: "https://receiver.example/", types: "" };
    await gateway.links.postgresql.cut();
    const unsure = await web.send("/account/webhooks", typed);
    expect(unsure.html).toContain("its secret was not shown: remove the webhook first");
    await gateway.links.postgresql.mend();
    await back(web, "/account/webhooks");

    const secret = await web.send("/account/webhooks", typed);
    expect(secret.heading).toBe("The webhook's secret");
    const late = await web.open(secret.at);
    expect(late.heading).toBe("Webhook");
    expect(late.notices.join()).toContain("remove this webhook and add it again");
  });
});

/** The transactions that wait for a lock to write an event. */
const WAITING = `select from pg_stat_activity
  where wait_event_type = 'Lock' and query ilike '%insert into "events"%'
  and datname = current_database()`;
