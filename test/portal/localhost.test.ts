import { expect, test } from "vitest";
import { useStack } from "../support/used.ts";

const bound = useStack({
  environment: {
    WEBAUTHN_RP_ID: "localhost",
    WEBAUTHN_ORIGINS: "http://localhost:8080, https://localhost",
  },
});
const unbound = useStack();

const HTML = { accept: "text/html" };

test.each(["127.0.0.1", "[::1]"])(
  "pages at %s lead to localhost, where keys work",
  async (host) => {
    const page = await bound.app.request(`http://${host}:8080/login?to=%2Factivity`, {
      headers: HTML,
    });
    expect(page.status).toBe(302);
    expect(page.headers.get("location")).toBe("http://localhost:8080/login?to=%2Factivity");
  },
);

test("forms, APIs, other hosts, and services without keys of localhost lead nowhere else", async () => {
  const form = { method: "POST", headers: { "sec-fetch-site": "same-origin" } };
  for (const [stack, url, init] of [
    [bound, "http://127.0.0.1:8080/login", form],
    [bound, "http://127.0.0.1:8080/healthz", {}],
    [bound, "http://127.0.0.1:8080/v1/session", {}],
    [bound, "http://192.0.2.7/login", { headers: HTML }],
    [unbound, "http://127.0.0.1:8080/login", { headers: HTML }],
  ] as const)
    expect((await stack.app.request(url, init)).status, url).not.toBe(302);
});

test("related origins are told to browsers, but only those that others can have", async () => {
  const told = await bound.app.request("/.well-known/webauthn");
  expect(told.headers.get("content-type")).toBe("application/json");
  expect(await told.json()).toEqual({ origins: ["https://localhost"] });
  expect((await unbound.app.request("/.well-known/webauthn")).status).toBe(404);
});

test("a service that cannot have keys offers none, and says why to whoever asks", async () => {
  const page = await unbound.app.request("http://127.0.0.1:8080/login", { headers: HTML });
  const text = await page.text();
  expect(text).not.toContain("passkey");
  expect(page.headers.get("permissions-policy")).toContain("publickey-credentials-get=(self)");
});
