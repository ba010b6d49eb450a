import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectNothingInternal } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";
import { exchange, httpRequest, statusOf } from "../../support/wire.ts";

const stack = useStack();
let server: ServerType;
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    const { fetch } = stack.app;
    server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, (address) => {
      port = address.port;
      resolve();
    });
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const send = (...pieces: (string | Buffer)[]) => exchange(port, ...pieces);

const login = (headers: string[], body: string) =>
  httpRequest("POST /v1/login HTTP/1.1", ["Content-Type: application/json", ...headers], body);

function expectRefusal(answer: string, status: number, code: string) {
  expect(statusOf(answer), answer).toBe(status);
  expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
  expect(answer).toContain(`"code":"${code}"`);
  expectNothingInternal(answer);
}

describe("a body", () => {
  const json = '{"username":"nobody","password":"x"}';

  test("over 64 KiB by its Content-Length is refused without being read", async () => {
    const answer = await send(login(["Content-Length: 70000"], '{"username":"'));
    expectRefusal(answer, 413, "body_too_large");
  });

  test("over 64 KiB in chunks, without a Content-Length, is refused", async () => {
    const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
    const answer = await send(
      login(["Transfer-Encoding: chunked"], ""),
      ...Array.from({ length: 20 }, () => chunk),
    );
    expectRefusal(answer, 413, "body_too_large");
  });

  test("in chunks is read like any other", async () => {
    const chunked = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;
    const answer = await send(login(["Transfer-Encoding: chunked"], chunked));
    expectRefusal(answer, 401, "invalid_credentials");
  });

  test("of another type, in chunks too, or without a type is refused", async () => {
    const length = `Content-Length: ${json.length}`;
    const form = "Content-Type: application/x-www-form-urlencoded";
    const chunked = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;
    const line = "POST /v1/login HTTP/1.1";
    for (const answer of [
      await send(httpRequest(line, [length], json)),
      await send(httpRequest(line, [form, length], json)),
      await send(httpRequest(line, [form, "Transfer-Encoding: chunked"], chunked)),
      await send(httpRequest(line, ["Transfer-Encoding: chunked"], chunked)),
    ])
      expectRefusal(answer, 415, "unsupported_media_type");
  });

  test("that is not UTF-8 is refused", async () => {
    const body = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]);
    const answer = await send(login([`Content-Length: ${body.length}`], ""), body);
    expectRefusal(answer, 400, "malformed_json");
  });

  test("that is missing where one is needed is refused", async () => {
    expectRefusal(await send(login(["Content-Length: 0"], "")), 400, "malformed_json");
  });
});

describe("headers", () => {
  test("that are not ASCII, doubled or very long get 401 or 431", async () => {
    const line = "GET /v1/session HTTP/1.1";
    for (const headers of [
      ["Authorization: Bearer \xff\xfe\x80"],
      ["Authorization: Bearer a", "Authorization: Bearer b"],
      ["Authorization: \tBearer\tx"],
      ["Cookie: a=b; a=c", "Authorization:"],
      [`Authorization: Bearer ${"x".repeat(8000)}`],
    ])
      expectRefusal(
        await send(Buffer.from(httpRequest(line, headers), "latin1")),
        401,
        "unauthenticated",
      );
    const flood = await send(httpRequest(line, [`X-Junk: ${"x".repeat(64 * 1024)}`]));
    expect(statusOf(flood)).toBe(431);
  });

  test("that smuggle a second request are refused, and the second is never processed", async () => {
    const logged = stack.logged().length;
    const both = login(
      ["Content-Length: 4", "Transfer-Encoding: chunked"],
      "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    );
    expect(statusOf(await send(both))).toBe(400);
    const twice = login(["Content-Length: 4", "Content-Length: 5"], "{}  \r\n");
    expect(statusOf(await send(twice))).toBe(400);
    const lines = stack.logged().slice(logged);
    expect(lines.filter((line) => JSON.parse(line).path === "/x")).toEqual([]);
  });

  test.each([
    ["no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
    ["an unknown method", "BREW /v1/login HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a line break in a header", "GET /v1/session HTTP/1.1\r\nHost: x\r\nA: b\nc: d\r\r\n\r\n"],
  ])("%s is refused by the HTTP server itself", async (_, bytes) => {
    const answer = await send(Buffer.from(bytes, "latin1"));
    expect(statusOf(answer)).toBe(400);
    expectNothingInternal(answer);
  });

  test.each(["GET http://[::bad/v1/session HTTP/1.1", "GET * HTTP/1.1", "GET /v1/\xff HTTP/1.1"])(
    "the request line %j is refused with a 4xx",
    async (line) => {
      const answer = await send(Buffer.from(httpRequest(line, []), "latin1"));
      expect(Math.floor(statusOf(answer) / 100), answer).toBe(4);
      expectNothingInternal(answer);
    },
  );

  test("of every answer forbid caching, framing and sniffing", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const answer = await fetch(`http://127.0.0.1:${port}/v1/session`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { headers } = answer;
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("x-powered-by")).toBeNull();
  });
});

test("after all that the gateway still answers, and has logged no error", async () => {
  const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect(status).toBe(200);
  const errors = stack.logged().filter((line) => JSON.parse(line).level >= 50);
  expect(errors).toEqual([]);
});
