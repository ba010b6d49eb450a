// By default nginx reads an answer's headers into a buffer of 4096 bytes, and browsers accept no
// larger cookie. What people type, and the page they want to reach, must not exceed that.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { MINUTE_MS } from "../../units.ts";
import { loggedIn, userWithApp, verifiedApp } from "../support/apps.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { type WebClient, webClient } from "../support/web.ts";

const BUFFER = 4096;

/** Bytes that Node adds: status line, Date, Connection, Keep-Alive, Transfer-Encoding. */
const SERVERS_OWN = 170;

const stack = useStack({
  environment: {
    // The longest values that the settings allow.
    SEALING_KEYS: `sixteen-chars-id:${randomBytes(32).toString("base64")}`,
    SERVICE_NAME: "x".repeat(30),
  },
});

function expectFitting(answer: Response, what: string) {
  const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = Buffer.byteLength(lines.join("")) + SERVERS_OWN;
  expect(bytes, what).toBeLessThanOrEqual(BUFFER);
  for (const cookie of answer.headers.getSetCookie())
    expect(Buffer.byteLength(cookie), what).toBeLessThanOrEqual(BUFFER);
}

/** Texts that take the most space as JSON, as UTF-8 and in a header. */
const TEXTS = ["x", '"', "\\", "€", "💥", "%"].flatMap((one) =>
  [300, 1500, 1700, 1800, 5000].map((length) => one.repeat(length)),
);

const FORM = "application/x-www-form-urlencoded";

const poster = (web: WebClient) => (path: string, fields: Record<string, string>) => {
  const body = new URLSearchParams(fields).toString();
  return web.once(path, { method: "POST", headers: { "content-type": FORM }, body });
};

test("an answer that keeps typed text fits a proxy's buffer, and its cookies fit a browser", async () => {
  const post = poster(webClient(stack, (await loggedIn(stack, "administrator")).token));
  const kept: number[] = [];
  for (const text of TEXTS) {
    const typed = { username: text, email: text.slice(0, 700), password: text };
    for (const [path, fields] of [
      ["/account/users", typed],
      ["/account/webhooks", { url: text, types: text.slice(0, 200) }],
      ["/account", { requirement: "required", enforceAfter: text }],
      ["/login", { ...typed, to: `/activity?kind=${text}` }],
    ] as const) {
      const answer = await post(path, fields);
      expectFitting(answer, `${path} ${text.length} ${text[0]}`);
      kept.push(...answer.headers.getSetCookie().map((cookie) => cookie.length));
    }
  }
  // Proves that something was kept; otherwise the test would check nothing.
  expect(Math.max(...kept)).toBeGreaterThan(2000);
});

test("what is kept until after a login fits as well, and so does a request with all of it", async () => {
  const { user } = await userWithApp(stack);
  const web = webClient(stack, (await loggedIn(stack, "support")).token);
  const post = poster(web);
  const at = `/support/users/${user.id}/reset`;
  await post(at, { "reset-reason": "x".repeat(1200) });
  await stack.advance(16 * MINUTE_MS);
  for (const text of TEXTS) expectFitting(await post(at, { "reset-reason": text }), "a reason");
  await post(at, { "reset-reason": "x".repeat(1200) });
  // The browser sends both cookies with each request.
  const cookies = [...web.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  expect(web.jar.get("__Host-flash")?.length).toBeGreaterThan(1600);
  expect(web.jar.get("__Host-goal")?.length).toBeGreaterThan(1600);
  expect(Buffer.byteLength(`cookie: ${cookies}\r\n`)).toBeLessThanOrEqual(2 * BUFFER);
});

test("a long address without a session fits", async () => {
  const path = `/activity?kind=${"%22".repeat(1000)}`;
  const stranger = webClient(stack);
  expectFitting(await stranger.once(path), path);
  expectFitting(await stranger.once(`/login?to=${encodeURIComponent(path)}`), "a long goal");
});

test("ten recovery codes fit, with their file", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  await verifiedApp(stack, token, false);
  const web = webClient(stack, token);
  const made = await web.send("/devices/recovery-codes", { quantity: "10" });
  expectFitting(made.first, "recovery codes");
  expect(made.heading).toBe("Your recovery codes");
});

test("a login that continues with typed text and shows failed attempts fits as well", async () => {
  const { token, user } = await loggedIn(stack, "administrator");
  const web = webClient(stack, token);
  await stack.advance(16 * MINUTE_MS);
  await web.send("/account/users", { username: "carla", email: "", password: "a long one" });
  const { username, password } = user;
  await web.send("/login", { username, password: "wrong" });
  const back = await web.send("/login", { username, password, to: "/account/users/new" });
  expectFitting(back.first, "the login");
  expect(back.inputs.username?.value).toBe("carla");
});
