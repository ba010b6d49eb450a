import { describe, expect, test } from "vitest";
import { unseal } from "../../store/sealing.ts";
import { MINUTE_MS, SECOND_MS } from "../../units.ts";
import { codeAt, loggedIn, registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import { challengeSent, enrollPhone, logInByPassword, wrongCode } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const stack = useStack();

/** The unsealed content of the browser's cookies; empty without cookies. */
const unsealed = ({ jar }: WebClient) =>
  (["flash", "goal"] as const)
    .flatMap((kind) => {
      const sealed = decodeURIComponent(jar.get(`__Host-${kind}`) ?? "");
      return sealed ? [unseal(stack.deps.config.SEALING_KEYS, sealed, kind).toString()] : [];
    })
    .join("\n");

/** Sends a form without following the redirect. */
const post = (web: WebClient, path: string, fields: Record<string, string>) =>
  web.once(path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString(),
  });

/** A browser of a member with an app, logged in with it. */
async function protectedBrowser() {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { id, secret } = await verifiedApp(stack, token, false);
  return { user, token, secret, device: id, web: webClient(stack, token) };
}

describe("attack", () => {
  test("thousands of fields in a form, sent without a login, cost little work", async () => {
    const web = webClient(stack);
    await web.open("/login");
    const many = Array.from({ length: 4000 }, (_, n) => `${n.toString(36)}=`);
    const body = ["username=", ...many].join("&").slice(0, 16_000);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const before = process.cpuUsage();
    for (let times = 0; times < 5; times++)
      expect((await web.once("/login", { method: "POST", headers: form, body })).status).toBe(303);
    const { user, system } = process.cpuUsage(before);
    // CPU time in microseconds, which a slow machine does not change much. It used to be many
    // seconds.
    expect(user + system).toBeLessThan(3_000_000);
    expect((await web.open("/login")).inputs.username?.value).toBe("");
  });

  test("a text that is too long for a cookie is in none: the answer is the form's page with the text", async () => {
    const { token } = await loggedIn(stack, "administrator");
    const web = webClient(stack, token);
    const username = "x".repeat(5000);
    const typed = { username, email: "kept@example.com", password: "S3CRET" };
    const page = await web.send("/account/users", typed);
    expect(page.first.status).toBe(422);
    expect(page.inputs.email?.value).toBe("kept@example.com");
    expect(page.html).toContain('id="username-error"');
    expect(page.inputs.username?.value).toBe(username);
    expect(page.title).toMatch(/^Error: /);
    expect(page.html).not.toContain("S3CRET");
    expect(page.first.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(web.jar.has("__Host-flash")).toBe(false);
    // The next page shows nothing of it.
    expect((await web.open("/account/users/new")).inputs.username?.value).toBe("");
  });

  test("a text that is too long to keep until after a login is dropped, shorter fields stay, and the page says so", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const web = webClient(stack, token);
    await stack.advance(16 * MINUTE_MS);
    const url = `https://example.com/${"x".repeat(1900)}`;
    const asked = await web.send("/account/webhooks", { url, types: "login_failed" });
    const form = asked.forms.find(({ action }) => action === "/login");
    const { username, password } = user;
    const back = await web.send("/login", { ...form?.fields, username, password });
    expect(back.at).toBe("/account/webhooks/new");
    expect(back.inputs.types?.value).toBe("login_failed");
    expect(back.notices.join()).toContain("Some of what you typed was too long to keep.");
  });

  const secrets: [string, Record<string, string>][] = [
    ["/login", { username: "somebody", password: "S3CRET" }],
    [
      "/sessions/password",
      { currentPassword: "S3CRET", password: "S3CRET x", repeated: "S3CRET y" },
    ],
    ["/account/users", { username: "", email: "a@example.com", password: "S3CRET" }],
    ["/account/links", { username: "somebody", password: "S3CRET" }],
    ["/devices/otp/:id/verify", { code: "S3CRET", makeDefault: "on" }],
    ["/login/:challenge/verify", { passcode: "S3CRET", to: "/activity" }],
  ];

  test.each(secrets)("a secret typed in %s is in no cookie", async (path, fields) => {
    const admin = await loggedIn(stack, "administrator");
    const web = webClient(stack, admin.token);
    const { device } = await registerApp(stack, admin.token);
    const { user } = await userWithApp(stack);
    const challenge = (await stack.api.logIn(user)).body as { challenge: { id: string } };
    const at = path.replace(":id", device.id).replace(":challenge", challenge.challenge.id);
    await post(web, at, fields);
    const refused = unsealed(web);
    expect(refused, "the refusal is there").toContain('"faults"');
    expect(refused).not.toContain("S3CRET");
    await stack.advance(25 * 60 * MINUTE_MS);
    await post(web, at, fields);
    // A login form needs no session, so its session cannot have ended.
    if (!path.startsWith("/login")) expect(web.jar.has("__Host-goal")).toBe(true);
    expect(unsealed(web)).not.toContain("S3CRET");
  });

  test("the next user of the browser, between a form and its page, sees nothing of it", async () => {
    const [first, next] = [await loggedIn(stack, "member"), await loggedIn(stack, "member")];
    const web = webClient(stack, first.token);
    await post(web, "/devices/email", { email: 'private"text' });
    const left = new Map(web.jar);
    web.jar.set("__Host-session", next.token);
    const theirs = await web.open("/devices/email");
    expect(theirs.inputs.email?.value).toBe("");
    expect(theirs.title).not.toMatch(/^Error/);
    // The user who sent the form still gets it.
    for (const [name, value] of left) web.jar.set(name, value);
    expect((await web.open("/devices/email")).inputs.email?.value).toBe('private"text');
  });

  test("a polling script does not see or use up the message for the page", async () => {
    const { web } = await protectedBrowser();
    await post(web, "/devices/recovery-codes", { quantity: "3" });
    const script = { headers: { "sec-fetch-dest": "empty" } };
    const news = await web.once("/devices/recovery-codes", script);
    expect(await news.text()).not.toContain('id="codes"');
    const shown = await web.open("/devices/recovery-codes");
    expect(shown.heading).toBe("Your recovery codes");
  });

  test("a copied cookie shows nothing after its time is over", async () => {
    const { token } = await loggedIn(stack, "member");
    const web = webClient(stack, token);
    await post(web, "/devices/email", { email: 'private"text' });
    const cookie = web.jar.get("__Host-flash") ?? "";
    await stack.advance(59 * SECOND_MS);
    expect((await web.open("/devices/email")).inputs.email?.value).toBe('private"text');
    await stack.advance(SECOND_MS);
    web.jar.set("__Host-flash", cookie);
    expect((await web.open("/devices/email")).inputs.email?.value).toBe("");
  });

  test("recovery codes are shown for ten minutes at most, and in their own session only", async () => {
    const { user, secret, web } = await protectedBrowser();
    await post(web, "/devices/recovery-codes", { quantity: "3" });
    const cookie = web.jar.get("__Host-flash") ?? "";
    await stack.advance(9 * MINUTE_MS);
    const shown = await web.open("/devices/recovery-codes");
    expect(shown.heading).toBe("Your recovery codes");
    expect((await web.open("/devices/recovery-codes")).at).toBe("/devices");

    const other = webClient(stack);
    const login = await other.send("/login", { username: user.username, password: user.password });
    const step = login.forms.find(({ action }) => action.endsWith("/verify"));
    const passcode = codeAt(secret, stack.clock.now());
    await other.send(step?.action ?? "", { ...step?.fields, passcode });
    other.jar.set("__Host-flash", cookie);
    expect((await other.open("/devices/recovery-codes")).at).toBe("/devices");

    await stack.advance(MINUTE_MS);
    web.jar.set("__Host-flash", cookie);
    expect((await web.open("/devices/recovery-codes")).at).toBe("/devices");
  });
});

describe("a refusal", () => {
  test("that a page shows itself appears once, and is then gone", async () => {
    const { user, secret } = await userWithApp(stack);
    const web = webClient(stack);
    let page = await web.send("/login", { username: user.username, password: user.password });
    const { action = "", fields } = page.forms.find(({ action }) => action.endsWith("/verify")) ?? {
      fields: {},
    };
    for (let tries = 0; tries < 10 && page.status === 200; tries++) {
      const passcode = wrongCode(codeAt(secret, stack.clock.now()), 1 + tries);
      page = await web.send(action, { ...fields, passcode });
    }
    // The refusal of the resend form is about no field, so it would be a notice.
    for (const locked of [page, await web.send(action.replace("/verify", "/resend"), fields)]) {
      expect(locked.status).toBe(423);
      expect(locked.heading).toBe("Your account is locked");
      expect(locked.notices).toEqual([]);
      expect(locked.html.match(/role="alert"/g)).toHaveLength(1);
      expect(web.jar.has("__Host-flash")).toBe(false);
    }
  });
});

describe("a device that another tab has verified", () => {
  test("leads from its set-up page to the devices, also after a login, without a refusal", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const web = webClient(stack, token);
    const { device, secret } = await registerApp(stack, token);
    const verify = `/devices/otp/${device.id}/verify`;
    const code = codeAt(secret, stack.clock.now());
    expect((await web.send(verify, { code, makeDefault: "on" })).heading).toBe("Log in");
    await stack.advance(30 * SECOND_MS);
    // An old tab still shows the form and sends it.
    const late = await web.send(verify, { code: "000000", makeDefault: "on" });
    expect(late.heading).toBe("Log in");
    const form = late.forms.find(({ action }) => action === "/login");
    // A login in the other tab still leads to its own page.
    const elsewhere = await web.open("/login?to=/activity");
    expect(elsewhere.forms.find(({ action }) => action === "/login")?.fields.to).toBe("/activity");
    const { username, password } = user;
    const login = await web.send("/login", { ...form?.fields, username, password });
    const step = login.forms.find(({ action }) => action.endsWith("/verify"));
    const passcode = codeAt(secret, stack.clock.now());
    const back = await web.send(step?.action ?? "", { ...step?.fields, passcode });
    expect(back.status).toBe(200);
    expect(back.at).toBe("/devices");
    expect((await web.open(`/devices/otp/${device.id}`)).at).toBe("/devices");
    const answer = await web.send(verify, { code: "000000" });
    expect(answer.at).toBe("/devices");
    expect(answer.notices.join()).toContain("You can use it to log in.");
  });

  test("a late set-up form does not replace the page that somebody wanted to reach", async () => {
    const administrator = await loggedIn(stack, "administrator");
    const member = await stack.createUser({ accountId: administrator.user.accountId });
    await stack.api.call("PUT", "/v1/account/multi-factor-policy", {
      token: administrator.token,
      body: { requirement: "required" },
    });
    const { username, password } = member;
    const web = webClient(stack);
    await web.send("/login", { username, password, to: "/activity?kind=logins" });
    const first = await registerApp(stack, web.jar.get("__Host-session") ?? "");
    // The set-up session has ended by now.
    await stack.advance(16 * MINUTE_MS);
    const late = await web.send(`/devices/otp/${first.device.id}/verify`, { code: "000000" });
    expect(late.heading).toBe("Log in");
    const again = late.forms.find(({ action }) => action === "/login");
    await web.send("/login", { ...again?.fields, username, password });
    const { device, secret } = await registerApp(stack, web.jar.get("__Host-session") ?? "");
    const code = codeAt(secret, stack.clock.now());
    const out = await web.send(`/devices/otp/${device.id}/verify`, { code, makeDefault: "on" });
    await stack.advance(30 * SECOND_MS);
    const form = out.forms.find(({ action }) => action === "/login");
    const login = await web.send("/login", { ...form?.fields, username, password });
    const step = login.forms.find(({ action }) => action.endsWith("/verify"));
    const passcode = codeAt(secret, stack.clock.now());
    const back = await web.send(step?.action ?? "", { ...step?.fields, passcode });
    expect(back.at).toBe("/activity?kind=logins");
  });
});

describe("the wait until another passcode", () => {
  const waitIn = (html: string) => Number(/data-wait="(\d+)"/.exec(html)?.[1] ?? 0);

  test("is the same after a wrong passcode, a resend and another method", async () => {
    const user = await stack.createUser();
    await enrollPhone(stack, user);
    const web = webClient(stack);
    await stack.advance(31 * SECOND_MS);
    const page = await web.send("/login", { username: user.username, password: user.password });
    const at = page.at.split("?")[0] ?? "";
    await challengeSent(stack, at.split("/")[2] ?? "");
    expect(waitIn((await web.open(page.at)).html)).toBe(30);
    await stack.advance(31 * SECOND_MS);
    expect(waitIn((await web.open(page.at)).html)).toBe(0);
    await web.send(`${at}/resend`, {});
    await challengeSent(stack, at.split("/")[2] ?? "");
    await stack.advance(10 * SECOND_MS);
    expect(waitIn((await web.send(`${at}/verify`, { passcode: "000" })).html)).toBe(20);
    const other = await web.send(`${at}/method`, { method: "sms" });
    expect(other.notices.join()).toContain("request another in 20 seconds");
    expect(waitIn(other.html)).toBe(20);
    expect(waitIn((await web.open(page.at)).html)).toBe(20);
  });
});
