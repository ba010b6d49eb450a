// The user is logged in and opens my page. My page sends forms to the service in their name, logs
// them in as me, or embeds the service's pages in a frame. I hope that one page or form is
// unprotected.
import { beforeAll, describe, expect, test } from "vitest";
import { newId, newOwnedId } from "../../store/ids.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { loggedIn, registerApp, userWithApp } from "../support/apps.ts";
import { startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const SITE = "https://mfa.example";
const FORM = "application/x-www-form-urlencoded";
const ROLES: Role[] = ["member", "administrator", "support"];

/** The refusal, on the page and in the log. */
const FOREIGN = "The form was sent from another site.";

const stack = useStack();
/** A session of each role. `ids` are for the placeholders in paths. */
const tokens = new Map<Role, string>();
let ids: { device: string; challenge: string; user: string };
beforeAll(async () => {
  const owner = await userWithApp(stack);
  const challenge = (await startChallenge(stack, owner.user)).id;
  for (const role of ROLES) tokens.set(role, (await loggedIn(stack, role)).token);
  const { device } = await registerApp(stack, tokens.get("member") as string);
  ids = { device: device.id, challenge, user: owner.user.id };
});

/**
 * The portal's routes by method: all routes that are not for an API, its document, machines, or
 * browsers themselves (`/.well-known`).
 */
function routes(method: "GET" | "POST"): string[] {
  const api = /^\/(v1|v2|openapi|docs|healthz|readyz|health|metrics|dev|portal|\.well-known)\b|\*/;
  const paths = stack.app.routes
    .filter((route) => route.method === method && !api.test(route.path))
    .map(({ path }) => path);
  return [...new Set(paths)];
}

/** The path with an existing id in each of its placeholders. */
function filled(path: string): string[] {
  const id = /^\/login/.test(path)
    ? ids.challenge
    : /^\/devices/.test(path)
      ? ids.device
      : ids.user;
  const choices = /\{([\w|]+)\}/.exec(path)?.[1]?.split("|") ?? [""];
  return choices.map((choice) => path.replace(/:\w+\{[\w|]+\}/, choice).replaceAll(/:\w+/g, id));
}

function send(path: string, token: string | undefined, headers: Record<string, string>, body = "") {
  const cookie: Record<string, string> = token ? { cookie: `__Host-session=${token}` } : {};
  return stack.app.request(`${SITE}${path}`, {
    method: "POST",
    headers: { "content-type": FORM, ...cookie, ...headers },
    body,
  });
}

const foreign: Record<string, string>[] = [
  { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
  { "sec-fetch-site": "same-site", origin: "https://other.mfa.example" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "nonsense", origin: SITE },
  { origin: "https://evil.example" },
  { origin: "https://mfa.example.evil.example" },
  { origin: "https://mfa.example:8443" },
  { origin: "null" },
  { origin: "mfa.example" },
  { referer: `${SITE}/devices` },
  {},
];

describe("attack: a form from a foreign page", () => {
  test("every route that changes something is on the list", () => {
    const list = routes("POST");
    for (const known of ["/login", "/logout", "/login/:id/verify", "/devices/otp", "/account"])
      expect(list).toContain(known);
    expect(list.length).toBeGreaterThanOrEqual(20);
    // Only POST changes something.
    const others = stack.app.routes.filter(
      ({ method, path }) => !["GET", "POST", "ALL"].includes(method) && !/^\/v\d/.test(path),
    );
    expect(others).toEqual([]);
  });

  test.each(foreign)("is refused at every route with %o, whoever is logged in", async (headers) => {
    for (const path of routes("POST").flatMap(filled))
      for (const token of [...tokens.values(), undefined]) {
        const answer = await send(path, token, headers);
        expect(answer.status, path).toBe(403);
        expect(await answer.text(), path).toContain(FOREIGN);
        expect(answer.headers.getSetCookie(), path).toEqual([]);
      }
    for (const token of tokens.values()) expect((await stack.api.session(token)).status).toBe(200);
  });

  test("is refused for where it comes from: the same form of our own page is not", async () => {
    for (const path of routes("POST").flatMap(filled)) {
      const answer = await send(path, undefined, { "sec-fetch-site": "same-origin" });
      expect(await answer.text(), path).not.toContain(FOREIGN);
    }
  });

  test("with another content type is not read", async () => {
    for (const type of ["text/plain", "multipart/form-data; boundary=x", "application/json", ""])
      for (const path of routes("POST").flatMap(filled)) {
        const headers = { "content-type": type, "sec-fetch-site": "same-origin" };
        const answer = await send(path, tokens.get("member"), headers, "username=x");
        expect(answer.status, `${path} ${type}`).toBe(415);
      }
  });

  test("does not log the victim in as the attacker", async () => {
    const { username, password } = await stack.createUser();
    const body = new URLSearchParams({ username, password }).toString();
    const answer = await send("/login", undefined, foreign[0] ?? {}, body);
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
    const own = await send("/login", undefined, { "sec-fetch-site": "same-origin" }, body);
    expect([own.status, own.headers.getSetCookie().length]).toEqual([303, 1]);
  });

  test("does nothing at the API: the session cookie means nothing there", async () => {
    const cookie = `__Host-session=${tokens.get("administrator")}`;
    for (const [path, item] of Object.entries(stack.document.paths))
      for (const method of Object.keys(item)) {
        if (!item[method]?.security) continue;
        const filled = path.replace(/\{\w+\}/g, newOwnedId(newId()));
        const init = { method: method.toUpperCase(), headers: { cookie } };
        const answer = await stack.app.request(`${SITE}${filled}`, init);
        // 422: a missing body is refused before the session is checked.
        expect([401, 422], `${method} ${path}`).toContain(answer.status);
      }
  });
});

describe("attack: a page of the service in a frame, in a cache, or with a foreign script", () => {
  test("every page forbids it, for every role and without a session, found or not", async () => {
    const paths = [...routes("GET").flatMap(filled), "/devices/nothing", "/login/nothing"];
    expect(paths.length).toBeGreaterThanOrEqual(20);
    for (const path of paths)
      for (const token of [...tokens.values(), undefined]) {
        const headers: Record<string, string> = token ? { cookie: `__Host-session=${token}` } : {};
        const answer = await stack.app.request(`${SITE}${path}`, { headers });
        const policy = answer.headers.get("content-security-policy") ?? "";
        expect(policy, path).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
        expect(policy, path).toContain(
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        );
        expect(policy, path).not.toMatch(/unsafe|\*|https?:/);
        expect(answer.headers.get("x-frame-options"), path).toBeTruthy();
        expect(answer.headers.get("cache-control"), path).toBe("no-store");
        expect(answer.headers.get("strict-transport-security"), path).toMatch(/^max-age=\d{7,}/);
        expect(answer.headers.get("x-content-type-options"), path).toBe("nosniff");
        expect(answer.headers.get("access-control-allow-origin"), path).toBeNull();
        const html = await answer.text();
        expect(html, path).not.toMatch(/<script(?![^>]*\ssrc=)|\son[a-z]+=|\sstyle=|javascript:/i);
        for (const cookie of answer.headers.getSetCookie())
          expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
      }
  });

  test("the API's reference page forbids it too", async () => {
    const { headers } = await stack.app.request("/docs");
    expect(headers.get("content-security-policy")).toMatch(
      /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
    );
  });
});

test("attack: the page after the login is never on another site", async () => {
  const { username, password } = await stack.createUser();
  const targets = [
    ...["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example"],
    ...["/%0d%0aset-cookie:a=b", "/\tevil.example", "javascript:alert(1)", "/%2e%2e//evil"],
    ...[
      "/.evil.example",
      "/@evil.example",
      "///evil.example",
      "/devices\u0000",
      "／／evil.example",
    ],
  ];
  for (const to of targets) {
    const body = new URLSearchParams({ username, password, to }).toString();
    const answer = await send("/login", undefined, { "sec-fetch-site": "same-origin" }, body);
    const location = new URL(answer.headers.get("location") ?? "x:", SITE);
    expect([location.origin, location.pathname], to).toEqual([SITE, "/"]);
  }
});

test("a redirect to our own page keeps its query, whatever is in it", async () => {
  const { username, password } = await stack.createUser();
  for (const to of [
    "/devices?to=//evil",
    "/activity?kind=logins&from=2026-01-01",
    "/support?query=%2F%2Fa",
  ]) {
    const body = new URLSearchParams({ username, password, to }).toString();
    const answer = await send("/login", undefined, { "sec-fetch-site": "same-origin" }, body);
    expect(answer.headers.get("location")).toBe(to);
  }
});
