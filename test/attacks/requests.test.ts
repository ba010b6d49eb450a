// I write my requests by hand: another host name, a proxy's header, a path that the proxy reads
// differently than the service, a second request inside the first.
import { beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { PRODUCTION, startGateway } from "../support/gateway.ts";
import { limit } from "../support/limits.ts";
import type { Person } from "../support/people.ts";
import { expectNothingInternal } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { checkedClient } from "../support/stack.ts";
import { used, useStack } from "../support/used.ts";
import { exchange, httpRequest, statusOf } from "../support/wire.ts";

const stack = useStack();
const gateway = used(() => startGateway(stack, { ...PRODUCTION, LOG_LEVEL: "info" }), 120_000);
let user: Person;
beforeAll(async () => {
  user = await stack.createUser();
});

const send = (...pieces: string[]) => exchange(gateway.port, ...pieces);
const FORM = "Content-Type: application/x-www-form-urlencoded";

const logged = (method: string) =>
  gateway.logs().filter((line) => JSON.parse(line).method === method);

/**
 * The log lines of requests with this method. The gateway logs independently of its answers, so this
 * sends one more request and waits for its line.
 */
const workedOn = async (method: string) => {
  const before = logged("PUT").length;
  await send(httpRequest("PUT /last HTTP/1.1"));
  await expect.poll(() => logged("PUT").length, { timeout: limit(10_000) }).toBe(before + 1);
  return logged(method);
};

describe("attack: another host name", () => {
  const body = () => new URLSearchParams({ username: user.username, password: user.password });
  const login = (headers: string[], form = body().toString()) =>
    ["POST /login HTTP/1.1", FORM, `Content-Length: ${form.length}`, "Connection: close"]
      .concat(headers, "", form)
      .join("\r\n");

  test("appears in no answer, and does not weaken the production cookie", async () => {
    for (const host of ["evil.example", "localhost", "127.0.0.1", "evil.example:80@mfa.example"]) {
      const answer = await send(login([`Host: ${host}`, "Sec-Fetch-Site: same-origin"]));
      expect(answer).not.toMatch(/evil\.example/);
      if (statusOf(answer) !== 303) continue;
      expect(answer).toMatch(/\r\nlocation: \/\r\n/i);
      expect(answer).toMatch(
        /\r\nset-cookie: __Host-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax\r\n/i,
      );
    }
  });

  test("in a proxy's header is not believed: a foreign page's form stays foreign", async () => {
    for (const header of ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"]) {
      const headers = [
        "Host: mfa.example",
        `${header}: evil.example`,
        "Origin: https://evil.example",
      ];
      const answer = await send(login(headers));
      expect(statusOf(answer), header).toBe(403);
      expect(answer).not.toMatch(/set-cookie/i);
    }
  });

  test("the Host header must be there, once, and well-formed", async () => {
    for (const hosts of [[], ["Host: a", "Host: b"], ["Host: a b"], ["Host: [::bad"]]) {
      const answer = await send(
        ["GET /v1/session HTTP/1.1", "Connection: close", ...hosts, "", ""].join("\r\n"),
      );
      expect(Math.floor(statusOf(answer) / 100), hosts.join()).toBe(4);
      expectNothingInternal(answer);
    }
  });
});

describe("attack: a client that names its own address", () => {
  const addressOf = async (proxies: number, headers: Record<string, string>) => {
    const app = createApp({
      ...stack.deps,
      config: { ...stack.deps.config, TRUSTED_PROXIES: proxies },
    });
    const api = checkedClient(app, stack.document, stack.logged);
    const login = (await api.logIn(await stack.createUser(), { headers })).body;
    if (login.status !== "authenticated") throw new Error(`It answered ${login.status}`);
    return (await api.session(login.session.token)).body.ip;
  };

  test.each([
    [0, "6.6.6.6", null],
    [1, "6.6.6.6, 192.0.2.1", "192.0.2.1"],
    [1, "192.0.2.1", "192.0.2.1"],
    [2, "6.6.6.6, 192.0.2.1, 10.0.0.1", "192.0.2.1"],
    // Fewer entries than trusted proxies: no entry can be trusted.
    [2, "6.6.6.6", null],
    [1, "", null],
  ])("behind %i proxies with %j comes from %j", async (proxies, forwarded, ip) => {
    const headers = {
      "x-forwarded-for": forwarded,
      "x-real-ip": "6.6.6.6",
      forwarded: "for=6.6.6.6",
      "cf-connecting-ip": "6.6.6.6",
      "true-client-ip": "6.6.6.6",
    };
    expect(await addressOf(proxies, headers)).toBe(ip);
  });
});

test("attack: a method in a header, a field or the query does not replace the request's own", async () => {
  const mine = await logInByPassword(stack, user);
  const other = await logInByPassword(stack, user);
  const path = `/v1/sessions/${other.id}`;
  const headers = { "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
  for (const [method, target] of [
    ["POST", path],
    ["POST", `${path}?_method=DELETE`],
    ["GET", path],
  ] as const) {
    const body = method === "POST" ? { _method: "DELETE" } : undefined;
    const answer = await stack.api.call(method, target, { token: mine.token, headers, body });
    expect(answer.status).toBe(405);
  }
  expect((await stack.api.session(other.token)).status).toBe(200);
  expect(statusOf(await send(httpRequest("TRACE / HTTP/1.1", ["Cookie: a=secret"])))).not.toBe(200);
});

describe("attack: a path in another spelling", () => {
  const spellings = (path: string) => [
    `/${path}`,
    path.replace("/", "//"),
    `${path}/`,
    `${path}%00`,
    `${path};x=1`,
    `${path}%2f`,
    path.toUpperCase(),
    `/x/..${path}`,
    `/v1/..${path}`,
    `/v1/%2e%2e${path}`,
    `/v1/..%2f${path.slice(1)}`,
    `/.${path}`,
    `/${path.slice(1).replace("/", "%2f")}`,
    `\\${path.slice(1)}`,
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    `http://localhost${path}`,
  ];

  test("opens nothing that needs a session", async () => {
    for (const path of [
      "/v1/session",
      "/v1/me/multi-factor",
      "/v1/account/users",
      "/v1/support/users",
    ])
      for (const spelling of spellings(path)) {
        const answer = await send(httpRequest(`GET ${spelling} HTTP/1.1`));
        expect(Math.floor(statusOf(answer) / 100), spelling).toBe(4);
        expectNothingInternal(answer);
      }
  });

  test("does not find the development phone in production", async () => {
    for (const path of ["/dev/outbox", "/dev/phone"])
      for (const spelling of [path, ...spellings(path)]) {
        const answer = await send(httpRequest(`GET ${spelling} HTTP/1.1`));
        expect(Math.floor(statusOf(answer) / 100), spelling).toBe(4);
      }
  });
});

describe("attack: a second request inside the first", () => {
  const inner = "PATCH /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const login = "POST /v1/login HTTP/1.1";
  const json = "Content-Type: application/json";
  test.each([
    ["both lengths", ["Content-Length: 5", "Transfer-Encoding: chunked"], `0\r\n\r\n${inner}`],
    [
      "a space before the colon",
      ["Transfer-Encoding : chunked", "Content-Length: 5"],
      `0\r\n\r\n${inner}`,
    ],
    ["an unknown transfer coding", ["Transfer-Encoding: xchunked"], `0\r\n\r\n${inner}`],
    ["chunked, then another", ["Transfer-Encoding: chunked, identity"], `0\r\n\r\n${inner}`],
    ["a vertical tab", ["Transfer-Encoding: \x0bchunked"], `0\r\n\r\n${inner}`],
    ["a folded line", ["Transfer-Encoding:\r\n chunked", "Content-Length: 5"], `0\r\n\r\n${inner}`],
    ["two lengths", ["Content-Length: 0", `Content-Length: ${inner.length}`], inner],
    ["a list of lengths", ["Content-Length: 0, 0"], inner],
    ["a signed length", ["Content-Length: +0"], inner],
    ["a length in hex", ["Content-Length: 0x0"], inner],
    ["a chunk's size with a sign", ["Transfer-Encoding: chunked"], `+0\r\n\r\n${inner}`],
    ["a chunk's size with a prefix", ["Transfer-Encoding: chunked"], `0x0\r\n\r\n${inner}`],
    [
      "a chunk longer than its size says",
      ["Transfer-Encoding: chunked"],
      `1\r\nab\r\n0\r\n\r\n${inner}`,
    ],
    ["HTTP/2 without asking", [], `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${inner}`],
  ])("with %s is never processed", async (name, headers, body) => {
    const request = [login, "Host: localhost", json, ...headers, "", body].join("\r\n");
    const answer = await send(request);
    expect(await workedOn("PATCH"), name).toEqual([]);
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)?.length ?? 0, answer).toBeLessThanOrEqual(1);
    expectNothingInternal(answer);
  });

  test("that is sent properly gets its own answer, with nothing of the first", async () => {
    const { token } = await logInByPassword(stack, user);
    const first = `GET /v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const answer = await send(first + httpRequest("GET /v1/session HTTP/1.1"));
    const second = answer.slice(answer.lastIndexOf("HTTP/1.1 "));
    expect(statusOf(second)).toBe(401);
    expect(second).not.toContain(user.username);
  });

  test("no upgrade to another protocol is made", async () => {
    for (const protocol of ["websocket", "h2c", "TLS/1.3"]) {
      const headers = ["Connection: Upgrade", `Upgrade: ${protocol}`, "HTTP2-Settings: AAMAAABk"];
      const answer = await send(
        ["GET /v1/session HTTP/1.1", "Host: x", ...headers, "", ""].join("\r\n"),
      );
      expect(statusOf(answer)).not.toBe(101);
    }
  });
});
