import { beforeAll, describe, expect, test } from "vitest";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { MINUTE_MS } from "../../units.ts";
import { codeAt, loggedIn, registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import { KEY_SETTINGS } from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const stack = useStack({ environment: KEY_SETTINGS });

type Owner = Awaited<ReturnType<typeof loggedIn>>;

/** A browser that is logged in as a new user with this role. */
async function browserOf(role: Role = "member"): Promise<{ web: WebClient; user: { id: string } }> {
  const { user, token } = await loggedIn(stack, role);
  return { web: webClient(stack, token), user };
}

/** A member with a verified app, logged in with it. */
async function protectedBrowser() {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { id } = await verifiedApp(stack, token, false);
  return { user, token, device: id, web: webClient(stack, token) };
}

describe("a form with an error keeps everything that was typed or chosen, except secrets", () => {
  type Case = {
    name: string;
    role?: Role;
    /** The form's page; `action` is where the form is sent. */
    page: string;
    action: string;
    /** All fields filled in, one of them wrong. */
    typed: Record<string, string>;
    /** The field that shows the error. Without it the error is above the form. */
    wrong?: string;
    secret?: string[];
  };
  const LONG = "x".repeat(600);
  const table: Case[] = [
    {
      name: "Required with a grace period that is none",
      role: "administrator",
      page: "/account/requirement",
      action: "/account",
      typed: { requirement: "required", enforceAfter: "soon" },
      wrong: "enforceAfter",
    },
    {
      name: "a grace period, and neither optional nor required",
      role: "administrator",
      page: "/account/requirement",
      action: "/account",
      typed: { requirement: "maybe", enforceAfter: "30" },
    },
    {
      name: "a new user with a weak password",
      role: "administrator",
      page: "/account/users/new",
      action: "/account/users",
      typed: { username: "zoë.o'hara", email: "zoe@example.com", password: "short" },
      wrong: "password",
      secret: ["password"],
    },
    {
      name: "a new user with a bad address",
      role: "administrator",
      page: "/account/users/new",
      action: "/account/users",
      typed: { username: "new-one", email: "<nowhere>", password: "a long enough one" },
      wrong: "email",
      secret: ["password"],
    },
    {
      name: "a webhook with a bad type",
      role: "administrator",
      page: "/account/webhooks/new",
      action: "/account/webhooks",
      typed: { url: "https://receiver.example/events?a=1&b=2", types: "login_failed, Not A Type" },
      wrong: "types",
    },
    {
      name: "a webhook with a bad address",
      role: "administrator",
      page: "/account/webhooks/new",
      action: "/account/webhooks",
      typed: { url: "ftp://receiver.example/", types: "login_failed" },
      wrong: "url",
    },
    {
      name: "a Cloud account with a wrong password",
      role: "administrator",
      page: "/account/links/new",
      action: "/account/links",
      typed: { username: "nobody", password: "a wrong one" },
      wrong: "password",
      secret: ["password"],
    },
    {
      name: "an email address",
      page: "/devices/email",
      action: "/devices/email",
      typed: { email: 'alice@"example' },
      wrong: "email",
    },
    {
      name: "a phone's country with a number that is too short",
      page: "/devices/sms/new",
      action: "/devices/sms",
      typed: { countryCode: "DE", phoneNumber: "12" },
      wrong: "phoneNumber",
    },
    {
      name: "a device's name that is too long",
      page: "/devices/otp/new",
      action: "/devices/otp",
      typed: { name: LONG },
      wrong: "name",
    },
    {
      name: "a password that is repeated wrongly",
      page: "/sessions/password",
      action: "/sessions/password",
      typed: { currentPassword: "one", password: "another", repeated: "a third" },
      wrong: "repeated",
      secret: ["currentPassword", "password", "repeated"],
    },
    {
      name: "a login",
      page: "/login?again&to=%2Factivity%3Fkind%3Dlogins",
      action: "/login",
      typed: { username: "nobody", password: "wrong", to: "/activity?kind=logins", again: "" },
      wrong: "password",
      secret: ["password"],
    },
  ];

  test.each(table)("$name", async ({ role, page, action, typed, wrong, secret = [] }) => {
    const { web } = await browserOf(role);
    await web.open(page);
    const answer = await web.send(action, typed);
    expect(answer.first.status).toBe(303);
    expect(answer.at.split("?")[0]).toBe(page.split("?")[0]);
    expect(answer.status).toBe(200);
    expect(answer.title).toMatch(/^Error: .+ - Second Step$/);
    if (wrong) expect(answer.html).toContain(`id="${wrong}-error"`);
    else expect(answer.notices.join()).not.toBe("");
    const form = answer.forms.find((one) => one.action === action);
    for (const [name, value] of Object.entries(typed)) {
      if (secret.includes(name)) expect(answer.html, name).not.toContain(`value="${value}"`);
      else if (value !== "maybe") expect(form?.fields[name], name).toBe(value);
    }
    // The error is shown once, and nothing is kept after that.
    expect((await web.open(answer.at)).title).not.toMatch(/^Error/);
  });

  test("Support's reason", async () => {
    const [{ web }, { user }] = [await browserOf("support"), await userWithApp(stack)];
    for (const action of ["unlock", "reset"]) {
      const field = `${action}-reason`;
      const answer = await web.send(`/support/users/${user.id}/${action}`, { [field]: "x" });
      expect(answer.html).toContain(`id="${field}-error"`);
      expect(answer.inputs[field]?.value).toBe("x");
    }
  });

  test("a challenge: keeps the choice of a recovery code and where it leads, but not the code", async () => {
    const { user } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    const web = webClient(stack);
    const typed = {
      with: "recovery",
      to: "/activity?kind=logins",
      passcode: "aaaa-bbbb-cccc-dddd",
    };
    const answer = await web.send(`/login/${id}/verify`, typed);
    expect(answer.heading).toBe("Enter a recovery code");
    const form = answer.forms.find(({ action }) => action === `/login/${id}/verify`);
    expect(form?.fields.to).toBe("/activity?kind=logins");
    expect(answer.html).not.toContain("aaaa-bbbb");
  });

  test("an app's code: keeps that the app is not to be the default", async () => {
    const { web, token } = await protectedBrowser();
    const { device } = await registerApp(stack, token, "Second");
    const answer = await web.send(`/devices/otp/${device.id}/verify`, { code: "000000" });
    expect(answer.html).toContain('id="code-error"');
    expect(answer.inputs.makeDefault).toBeUndefined();
    expect(answer.inputs.code?.value).toBe("");
  });

  test("attack: no page shows a password again", async () => {
    const { web } = await browserOf();
    const secret = "correct horse battery";
    const sent = { currentPassword: secret, password: secret, repeated: `${secret} 2` };
    const { html } = await web.send("/sessions/password", sent);
    expect(html).not.toContain(secret);
  });
});

describe("what needs a recent login asks for it before the form opens, and comes back to it", () => {
  const pages: [Role, string][] = [
    ["member", "/devices/otp/new"],
    ["member", "/devices/sms/new"],
    ["member", "/devices/email"],
    ["member", "/devices/default"],
    ["member", "/devices/remove-all"],
    ["member", "/devices/recovery-codes/new"],
    ["member", "/sessions/password"],
    ["administrator", "/account/requirement"],
    ["administrator", "/account/requirement/now"],
    ["administrator", "/account/users/new?from=here&with=%26"],
    ["administrator", "/account/webhooks/new"],
    ["administrator", "/account/links/new"],
  ];

  /** Pages that need something to exist, and the forms on them. */
  const questions: [string, Role, (owner: Owner) => Promise<string>][] = [
    [
      "another's role",
      "administrator",
      async ({ user }) => {
        const { id } = await stack.createUser({ accountId: user.accountId });
        return `/account/users/${id}/role`;
      },
    ],
    [
      "a device's removal",
      "member",
      async ({ token }) => {
        const { device } = await registerApp(stack, token);
        return `/devices/manage/${device.id}/remove`;
      },
    ],
    [
      "a webhook's removal",
      "administrator",
      async ({ token }) => {
        const web = webClient(stack, token);
        const url = "https://receiver.example/";
        const { at } = await web.send("/account/webhooks", { url, types: "" });
        return at.replace(/secret$/, "remove");
      },
    ],
  ];

  test.each(questions)(
    "%s: an old session logs in first, and comes back to the question",
    async (_, role, path) => {
      const owner = await loggedIn(stack, role);
      const web = webClient(stack, owner.token);
      const at = await path(owner);
      const question = await web.open(at);
      expect(question.at).toBe(at);
      const answer = question.forms.find(({ action }) => action === at);
      await stack.advance(16 * MINUTE_MS);
      for (const asked of [await web.open(at), await web.send(at, answer?.fields ?? {})]) {
        expect(asked.notices).toEqual(["For your security, confirm it's you to continue."]);
        const form = asked.forms.find(({ action }) => action === "/login");
        const { username, password } = owner.user;
        const back = await web.send("/login", { ...form?.fields, username, password });
        expect(back.at).toBe(at);
        expect(back.heading).toBe(question.heading);
        // The user has typed nothing yet, so there is no error.
        expect(back.notices).toEqual([]);
        await stack.advance(16 * MINUTE_MS);
      }
    },
  );

  test.each(pages)("%s: %s", async (role, path) => {
    const { user, token } = await loggedIn(stack, role);
    const web = webClient(stack, token);
    await stack.advance(16 * MINUTE_MS);
    const asked = await web.open(path);
    expect(asked.heading).toBe("Log in");
    expect(asked.notices).toEqual(["For your security, confirm it's you to continue."]);
    const form = asked.forms.find(({ action }) => action === "/login");
    const { username, password } = user;
    const back = await web.send("/login", { ...form?.fields, username, password });
    expect(back.at).toBe(path);
  });

  test("a wrong password on the way does not lose where it leads", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const web = webClient(stack, token);
    await stack.advance(16 * MINUTE_MS);
    let page = await web.open("/account/users/new");
    for (const password of ["wrong", user.password]) {
      const form = page.forms.find(({ action }) => action === "/login");
      page = await web.send("/login", { ...form?.fields, username: user.username, password });
    }
    expect(page.at).toBe("/account/users/new");
  });

  test("if 15 minutes pass while typing, only the password is lost", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const web = webClient(stack, token);
    await web.open("/account/users/new");
    await stack.advance(16 * MINUTE_MS);
    const typed = { username: "carla", email: "carla@example.com", password: "typed for her" };
    const asked = await web.send("/account/users", typed);
    expect(asked.notices).toEqual(["For your security, confirm it's you to continue."]);
    const form = asked.forms.find(({ action }) => action === "/login");
    const { username, password } = user;
    await web.send("/login", { ...form?.fields, username, password: "wrong" });
    const back = await web.send("/login", { ...form?.fields, username, password });
    expect(back.at).toBe("/account/users/new");
    expect(back.inputs.username?.value).toBe("carla");
    expect(back.inputs.email?.value).toBe("carla@example.com");
    expect(back.html).not.toContain("typed for her");
    expect(back.notices).toHaveLength(1);
    expect(back.notices[0]).toMatch(/^1 attempt .* Check what you typed, and send it again\.$/);
    expect((await web.open("/account/users/new")).inputs.username?.value).toBe("");
  });

  test("attack: the next user of the browser does not see what the one before had typed", async () => {
    const { token } = await loggedIn(stack, "administrator");
    const next = await stack.createUser({ role: "administrator" });
    const web = webClient(stack, token);
    await stack.advance(16 * MINUTE_MS);
    await web.send("/account/users", { username: "private", email: "", password: "x" });
    const { username, password } = next;
    const back = await web.send("/login", { username, password, to: "/account/users/new" });
    expect(back.at).toBe("/account/users/new");
    expect(back.html).not.toContain("private");
  });

  test("a page's query survives a login in between", async () => {
    const { username, password } = await stack.createUser();
    const web = webClient(stack);
    const asked = await web.open("/activity?kind=logins&from=2026-01-01");
    const form = asked.forms.find(({ action }) => action === "/login");
    const back = await web.send("/login", { ...form?.fields, username, password });
    expect(back.at).toBe("/activity?kind=logins&from=2026-01-01");
  });
});

describe("addresses that people reach in other ways", () => {
  const ids = { device: "", challenge: "", user: "", webhook: "0".repeat(32) };
  const webs = new Map<Role, WebClient>();
  beforeAll(async () => {
    const { token } = await loggedIn(stack, "member");
    ids.device = (await registerApp(stack, token)).device.id;
    webs.set("member", webClient(stack, token));
    webs.set("administrator", (await browserOf("administrator")).web);
    webs.set("support", (await browserOf("support")).web);
    const owner = await userWithApp(stack);
    ids.user = owner.user.id;
    ids.challenge = (await startChallenge(stack, owner.user)).id;
  });

  const routes = (method: "GET" | "POST") => {
    const api =
      /^\/(v1|v2|openapi|docs|healthz|readyz|health|metrics|dev|portal|\.well-known)\b|\*/;
    const found = stack.app.routes.filter((one) => one.method === method && !api.test(one.path));
    return [...new Set(found.map(({ path }) => path))];
  };

  const filled = (path: string) => {
    const id = /^\/login/.test(path)
      ? ids.challenge
      : /^\/devices/.test(path)
        ? ids.device
        : /webhooks/.test(path)
          ? ids.webhook
          : ids.user;
    return path.replaceAll(/:\w+/g, id);
  };

  /** Known routes whose id in these tests does not exist or is not possible. */
  const GONE: Record<string, { status: number; heading: string }> = {
    "/devices/sms/:id/pin": { status: 404, heading: "Device not found" },
    "/devices/sms/:id/verify": { status: 404, heading: "Device not found" },
    "/devices/webauthn/:id/restart": { status: 404, heading: "Device not found" },
    "/devices/webauthn/:id/verify": { status: 404, heading: "Device not found" },
    "/account/users/:id/role": { status: 404, heading: "User not found" },
    "/account/webhooks/:id/remove": { status: 404, heading: "Webhook not found" },
    "/account/webhooks/:id/enable": { status: 404, heading: "Webhook not found" },
    "/account/webhooks/:id/deliveries/:eventId/resend": {
      status: 404,
      heading: "Webhook not found",
    },
  };

  test("every address of a form leads to its page, by Back or typed", async () => {
    const paths = routes("POST");
    expect(paths.length).toBeGreaterThanOrEqual(25);
    for (const path of paths) {
      const { status, heading, title } = await webOf(path).open(filled(path));
      expect(title, path).toMatch(/ - Second Step$/);
      expect({ path, status, heading }).toMatchObject(GONE[path] ?? { status: 200 });
    }
    // A row without a route would check nothing.
    expect(Object.keys(GONE).filter((path) => !paths.includes(path))).toEqual([]);
  });

  /** The role that may open the page. */
  const roleOf = (path: string): Role => {
    if (path.startsWith("/support")) return "support";
    return path.startsWith("/account") ? "administrator" : "member";
  };

  const NONSENSE = [
    ...["", " ", "__proto__", "constructor", "toString", "maybe", "fax", "null", "-1", "1e308"],
    ...["x".repeat(5000), "💥", "\0", "a\0b", "\ud800", "<b>", "../../etc/passwd", "\r\nx: y"],
  ];
  const IDS = ["x", "__proto__", "%00", "a%00b", "%ff", "..%2f..", "'", "0".repeat(32)];

  const webOf = (path: string) => webs.get(roleOf(path)) as WebClient;

  const isPage = (answer: { status: number; title: string; html: string }, what: string) => {
    expect(answer.status, what).toBeLessThan(500);
    expect(answer.html, what).not.toMatch(/native code|\[object Object\]/);
    if (answer.status === 200 && !answer.html.startsWith("<!doctype html>")) return;
    expect(answer.title, what).toMatch(/^.{3,} - Second Step$/);
    expect(answer.title, what).not.toContain("undefined");
    expect(answer.html, what).toContain('class="brand"');
  };

  test(
    "attack: nonsense in every query of every page causes no server error",
    async () => {
      const names = [
        "done",
        "to",
        "after",
        "before",
        "kind",
        "from",
        "user",
        "query",
        "with",
        "sent",
      ];
      for (const [role, web] of webs)
        for (const path of routes("GET").filter((path) => roleOf(path) === role))
          for (const value of NONSENSE) {
            const query = new URLSearchParams(
              Object.fromEntries(names.map((name) => [name, value])),
            );
            const at = `${filled(path)}?${query}&done=twice&__proto__=1`;
            isPage(await web.open(at), `${role} ${at}`);
          }
    },
    limit(80_000),
  );

  test(
    "attack: nonsense in every field of every form causes no server error, and changes nothing",
    async () => {
      const names = ["username", "email", "requirement", "enforceAfter", "role", "method", "name"];
      names.push("countryCode", "phoneNumber", "quantity", "url", "types", "to", "with", "sure");
      names.push("passcode", "code", "unlock-reason", "reset-reason", "__proto__", "constructor");
      const administrator = webs.get("administrator");
      const before = await administrator?.open("/account");
      for (const [role, web] of webs)
        for (const path of routes("POST").filter((path) => roleOf(path) === role)) {
          if (/^\/(logout|sessions)/.test(path)) continue;
          for (const value of NONSENSE) {
            const text = new URLSearchParams(
              Object.fromEntries(names.map((name) => [name, value])),
            );
            const doubled = `${text}&role=x&method=y`;
            isPage(await web.send(filled(path), doubled), `${role} ${path} ${value}`);
          }
          for (const id of IDS) {
            const at = path.replaceAll(/:\w+/g, id);
            isPage(await web.send(at, { name: "" }), `${role} ${at}`);
            isPage(await web.open(at), `${role} ${at}`);
          }
        }
      const after = await administrator?.open("/account");
      expect(after?.heading).toBe("Account settings");
      expect(after?.html).toContain("Optional");
      expect(after?.html.replace(/value="[0-9a-f]{32}"/g, "")).toBe(
        before?.html.replace(/value="[0-9a-f]{32}"/g, ""),
      );
    },
    limit(80_000),
  );

  test("a form of a wrong type, or from elsewhere, is refused on a page with our brand and title", async () => {
    const web = webs.get("member") as WebClient;
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
      for (const path of ["/login", "/devices/email", "/account"]) {
        const answer = await web.send(path, "{}", { "content-type": type });
        expect(answer.status).toBe(415);
        isPage(answer, path);
      }
    const foreign = await web.send("/devices/email", {}, { "sec-fetch-site": "cross-site" });
    expect(foreign.status).toBe(403);
    isPage(foreign, "cross-site");
  });

  test("a missing page is a page for people, and a problem document for programs", async () => {
    const web = webClient(stack);
    for (const path of ["/nowhere", "/favicon.ico", "/login/a/b/c", "/wp-admin/setup.php"]) {
      const answer = await web.open(path);
      expect(answer.status, path).toBe(404);
      isPage(answer, path);
      expect(answer.first.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    for (const accept of ["*/*", "application/json, text/plain, */*", "application/problem+json"]) {
      const answer = await web.once("/nowhere", { headers: { accept } });
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type"), accept).toBe("application/problem+json");
    }
    for (const path of ["/v1/nowhere", "/v1/me/nothing"])
      expect((await web.once(path)).headers.get("content-type")).toBe("application/problem+json");
    expect((await web.once("/v2.0/nowhere")).headers.get("content-type")).toContain("json");
  });
});

describe("cookies", () => {
  test("a browser that keeps no cookies is told so, and not redirected in circles", async () => {
    const { username, password } = await stack.createUser();
    const web = webClient(stack);
    const page = await web.open("/devices");
    const form = page.forms.find(({ action }) => action === "/login");
    web.jar.clear();
    const answer = await web.send("/login", { ...form?.fields, username, password });
    expect(answer.heading).toBe("Your browser did not keep our cookie");
    expect(answer.html).toContain("https://");
    expect(web.jar.has("__Host-session")).toBe(false);
  });
});

describe("a login that another tab has completed", () => {
  test("goes on in the same browser, and says so in another one", async () => {
    const { user, secret } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    const [web, other] = [webClient(stack), webClient(stack)];
    const fields = { to: "/activity", passcode: codeAt(secret, stack.clock.now()) };
    expect((await web.send(`/login/${id}/verify`, fields)).at).toBe("/activity");
    // An old tab in the same browser sends its form.
    const late = await web.send(`/login/${id}/verify`, { to: "/sessions", passcode: "123456" });
    expect(late.at).toBe("/sessions");
    const elsewhere = await other.send(`/login/${id}/verify`, { to: "/sessions", passcode: "1" });
    expect(elsewhere.heading).toBe("This login was completed in another tab");
    expect(elsewhere.html).toContain('href="/sessions"');
    expect(elsewhere.html).not.toContain("time ran out");
  });
});

describe("the page that somebody wanted to reach", () => {
  test("is kept through a set-up at login, with its query", async () => {
    const administrator = await loggedIn(stack, "administrator");
    const { accountId } = administrator.user;
    const member = await stack.createUser({ accountId });
    await stack.api.call("PUT", "/v1/account/multi-factor-policy", {
      token: administrator.token,
      body: { requirement: "required" },
    });
    const { username, password } = member;
    const web = webClient(stack);
    const to = "/activity?kind=logins&from=2026-01-01";
    const setUp = await web.send("/login", { username, password, to });
    expect(setUp.heading).toContain("required");
    const token = web.jar.get("__Host-session") ?? "";
    const { device, secret } = await registerApp(stack, token);
    const code = codeAt(secret, stack.clock.now());
    const out = await web.send(`/devices/otp/${device.id}/verify`, { code, makeDefault: "on" });
    expect(out.heading).toBe("Log in");
    await stack.advance(30_000);
    const form = out.forms.find(({ action }) => action === "/login");
    const challenge = await web.send("/login", { ...form?.fields, username, password });
    const step = challenge.forms.find(({ action }) => action.endsWith("/verify"));
    const passcode = codeAt(secret, stack.clock.now());
    const back = await web.send(step?.action ?? "", { ...step?.fields, passcode });
    expect(back.at).toBe(to);
  });
});

describe("one click", () => {
  test("does not require a second factor of everyone: a question names the number of people", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const members = [1, 2, 3].map(() => stack.createUser({ accountId: user.accountId }));
    const [first] = await Promise.all(members);
    const { token: theirs } = await logInByPassword(stack, first as typeof user);
    const web = webClient(stack, token);
    const now = { requirement: "required", enforceAfter: "0" };
    const question = await web.send("/account", now);
    expect(question.at).toBe("/account/requirement/now?requirement=required");
    expect(question.html).toContain("4 of 4 people have none");
    expect((await stack.api.session(theirs)).status).toBe(200);
    // After Cancel the form still has the choice that was made.
    const form = question.forms.find(({ action }) => action === "/account");
    const cancel = /<a href="([^"]*)">Cancel</.exec(question.html)?.[1] ?? "";
    const back = await web.open(cancel);
    expect(back.forms.find(({ action }) => action === "/account")?.fields).toMatchObject(now);
    await web.send("/account", form?.fields ?? {});
    expect((await stack.api.session(theirs)).status).toBe(401);
  });

  test("proposes a grace period of 14 days if it was optional", async () => {
    const { web } = await browserOf("administrator");
    const page = await web.open("/account/requirement");
    expect(page.inputs.enforceAfter?.value).toBe("14");
  });

  test("makes nobody an administrator, and removes nothing: a question names the user and the change", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const member = await stack.createUser({ accountId: user.accountId });
    const web = webClient(stack, token);
    const list = await web.open("/account/users");
    expect(list.forms.map(({ action }) => action)).toEqual(["/logout"]);
    const question = await web.open(`/account/users/${member.id}/role`);
    expect(question.heading).toBe(`Make ${member.username} an administrator?`);

    const mine = await protectedBrowser();
    const device = await mine.web.open(`/devices/manage/${mine.device}`);
    expect(device.forms.map(({ action }) => action)).toEqual([
      "/logout",
      `/devices/manage/${mine.device}/name`,
    ]);
    const removal = await mine.web.open(`/devices/manage/${mine.device}/remove`);
    expect(removal.html).toContain("turns off multi-factor authentication");
    expect((await mine.web.open("/devices")).forms.map(({ action }) => action)).toEqual([
      "/logout",
    ]);
    await mine.web.send("/devices/recovery-codes", { quantity: "3" });
    const codes = await mine.web.open("/devices/recovery-codes/new");
    expect(codes.notices.join()).toContain("You have 3 unused codes");
  });
});

describe("the question before a removal or a reset", () => {
  test("changes nothing, and is the only page with the form that confirms", async () => {
    const [{ user }, { web: desk }] = [await userWithApp(stack), await browserOf("support")];
    const mine = await protectedBrowser();
    const questions: [WebClient, string, string][] = [
      [mine.web, `/devices/manage/${mine.device}/remove`, `/devices/manage/${mine.device}`],
      [mine.web, "/devices/remove-all", "/devices"],
      [desk, `/support/users/${user.id}/reset`, `/support/users/${user.id}`],
    ];
    for (const [web, question, before] of questions) {
      const { forms, html } = await web.open(before);
      expect(html).toContain(`href="${question}"`);
      expect(forms.map(({ action }) => action)).not.toContain(question);
      const asked = await web.open(question);
      expect(asked.forms.map(({ action }) => action)).toContain(question);
    }
    for (const userId of [mine.user.id, user.id])
      expect(await listDevices(stack.deps.db, userId)).toHaveLength(1);
  });
});

describe("the other sessions", () => {
  test("can all be ended at once on the page", async () => {
    const user = await stack.createUser();
    const [mine, other] = [await logInByPassword(stack, user), await logInByPassword(stack, user)];
    const web = webClient(stack, mine.token);
    const page = await web.open("/sessions");
    expect(page.forms.map(({ action }) => action)).toContain("/sessions/end-others");
    const done = await web.send("/sessions/end-others", {});
    expect(done.notices).toEqual(["All other sessions have ended."]);
    expect(done.forms.map(({ action }) => action)).not.toContain("/sessions/end-others");
    expect((await stack.api.session(other.token)).status).toBe(401);
    expect((await stack.api.session(mine.token)).status).toBe(200);
  });
});
