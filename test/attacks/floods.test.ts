// I have no password, only a connection and time. I repeat every request that makes the service
// store something, with new names, keys and numbers, until its stores are full.
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { loadConfig } from "../../config.ts";
import { newId, newOwnedId } from "../../store/ids.ts";
import { isUnavailable } from "../../store/unavailable.ts";
import { patient } from "../support/client.ts";
import { startReceiver } from "../support/receiver.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { environmentOf } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const SITE = "https://mfa.example";
/** Requests to each route in a flood. */
const TIMES = 12;
const GUESSES_AN_ADDRESS = 50;
/** Wrong passwords a day for one name, from addresses that never logged in with it. */
const GUESSES_OF_STRANGERS = 100;

const nowhere = { address: "nowhere", namespace: "default" };
/** Needed before the stack runs. */
const { limits } = loadConfig(environmentOf("postgres://nowhere", "redis://nowhere", nowhere));

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });

/** Every route of the gateway with its method: all APIs, the portal and the documentation. */
function routes() {
  const own = stack.app.routes
    .filter(({ method, path }) => method !== "ALL" && !path.includes("*"))
    .map(({ method, path }) => `${method} ${path}`);
  return [...new Set(own)].map((route) => {
    const [method = "", path = ""] = route.split(" ");
    return { method, path };
  });
}

/** A request whose every value is new and has this length. */
function nonsense(length: number) {
  const long = newId().padEnd(length, "x");
  const credentials = { username: long, password: long };
  const fields = { ...credentials, once: newId(), passcode: long, code: long, to: `/${long}` };
  const more = {
    email: long,
    name: long,
    phoneNumber: long,
    number: long,
    reason: long,
    url: long,
  };
  const auth = { passwordCredentials: credentials };
  return { fields: { ...fields, ...more }, body: { ...fields, ...more, auth } };
}

const formText = (length: number) => new URLSearchParams(nonsense(length).fields).toString();
const jsonText = (length: number) => JSON.stringify(nonsense(length).body);

/** The length of each value that makes the body as large as the limit lets it be. */
function justUnder(limit: number, textOf: (length: number) => string) {
  const [shorter, longer] = [textOf(100).length, textOf(101).length];
  const length = 100 + Math.floor((limit - shorter) / (longer - shorter));
  const bytes = textOf(length).length;
  if (bytes > limit || bytes < 0.99 * limit) throw new Error(`${bytes} of ${limit} bytes`);
  return length;
}

const filled = (path: string) => path.replaceAll(/:\w+(\{[^}]*\})?/g, () => newOwnedId(newId()));

async function send(
  { method, path }: { method: string; path: string },
  { length, from }: { length: number; from: string },
) {
  const json = /^\/v\d/.test(path);
  const text = (json ? jsonText : formText)(length);
  const query = method === "GET" ? `?to=/${newId()}&name=${newId()}` : "";
  const answer = await stack.app.request(`${SITE}${filled(path)}${query}`, {
    method,
    headers: {
      "x-forwarded-for": from,
      "sec-fetch-site": "same-origin",
      // The cookie that a form's page sets. Without it the portal does not check a login.
      cookie: "__Host-trial=kept",
      ...(method === "POST" && { "idempotency-key": newId() }),
      ...(method !== "GET" && {
        "content-type": json ? "application/json" : "application/x-www-form-urlencoded",
      }),
    },
    ...(method !== "GET" && { body: text }),
  });
  await answer.text();
}

/** The amount of data in each store. Retries, because a busy machine may lose a connection. */
const stored = () =>
  until(
    () =>
      counted().catch((error) => {
        if (!isUnavailable(error)) throw error;
      }),
    (found) => found !== undefined,
  ) as ReturnType<typeof counted>;

async function counted() {
  const { redis, db } = stack.deps;
  const { count: workflows } = await stack.temporal.client.workflow.count();
  const keys = await redis.keys("mfa:*");
  const sizes = await Promise.all(keys.map((key) => redis.memoryUsage(key)));
  const tables = await db.execute<{ name: string }>(
    sql`select relname as name from pg_class where relnamespace = 'public'::regnamespace
      and relkind in ('r', 'p') and not relispartition`,
  );
  const rows: Record<string, number> = {};
  for (const { name } of tables.rows) {
    const all = await db.execute<{ count: string }>(
      sql`select count(*) as count from ${sql.identifier(name)}`,
    );
    rows[name] = Number(all.rows[0]?.count);
  }
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return {
    keys: keys.length,
    bytes,
    kept: keys.filter((key) => /:idempotency$/.test(key)).sort(),
    rows,
    workflows,
  };
}

/** The tables that have more rows than before. (The event queue may have fewer.) */
const grown = (before: Record<string, number>, after: Record<string, number>) =>
  Object.keys(after).filter((name) => (after[name] ?? 0) > (before[name] ?? 0));

async function flood(options: { length: number; from: () => string }) {
  for (const route of routes())
    for (let n = 0; n < TIMES; n++)
      await send(route, { length: options.length, from: options.from() });
}

describe("attack: every route gets names, keys and numbers that nobody has sent before", () => {
  test("the list has every face's routes", () => {
    const list = routes().map(({ method, path }) => `${method} ${path}`);
    for (const known of ["POST /v1/login", "POST /v2.0/tokens", "POST /login", "POST /logout"])
      expect(list).toContain(known);
    for (const [path, item] of Object.entries(stack.document.paths))
      for (const method of Object.keys(item))
        expect(list).toContain(`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`);
  });

  let addresses = 0;

  test.each([
    ["short texts", 40],
    // The longest field is a webhook's URL of 2,000 characters.
    ["texts longer than any field", 2_100],
    ["forms just under the size limit", justUnder(limits.formBytes, formText)],
    ["JSON bodies just under the size limit", justUnder(limits.bodyBytes, jsonText)],
    ["bodies over the size limit", 7_000],
    ["bodies far over the size limit", 30_000],
  ])("%s from one address: only the keys that count its guesses grow", async (_, length) => {
    addresses += 1;
    const from = `192.0.2.${addresses}`;
    const before = await stored();
    await flood({ length, from: () => from });
    const after = await stored();
    expect(grown(before.rows, after.rows)).toEqual([]);
    expect(after.workflows).toBe(before.workflows);
    expect(after.kept).toEqual(before.kept);
    // Keys: one for the address; for each guess the name at the address, its logins, and the name.
    expect(after.keys - before.keys).toBeLessThanOrEqual(3 * GUESSES_AN_ADDRESS + 1);
    expect(after.bytes - before.bytes).toBeLessThanOrEqual(400 * 3 * GUESSES_AN_ADDRESS);
  });
});

test("attack: the password of a well-known user name is guessed at every door, from everywhere", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const receiver = await startReceiver();
  const { workflows: atFirst } = await stored();
  await stack.api.call("PUT", "/v1/me/email", { token, body: { email: "carol@example.com" } });
  const body = { url: receiver.url, types: ["login_failed"] };
  await stack.api.call("POST", "/v1/account/webhooks", { token, body });
  // Temporal lists the workflow that mails about the new address only a while after its start.
  const before = await until(
    stored,
    ({ rows, workflows }) => rows.event_queue === 0 && workflows > atFirst,
  );
  const { username } = admin;
  const guess = (n: number) => {
    const headers = { "x-forwarded-for": `198.51.100.${n}`, "content-type": "application/json" };
    const credentials = { username, password: `guess ${n}` };
    const [path, sent] = [
      ["/v1/login", credentials],
      ["/v2.0/tokens", { auth: { passwordCredentials: credentials } }],
    ][n % 2] as [string, object];
    // Retries a 503, because that request was not checked.
    return patient(stack.app.request)(path, {
      method: "POST",
      headers,
      body: JSON.stringify(sent),
    });
  };
  const statuses: number[] = [];
  for (let n = 1; n <= 2 * GUESSES_OF_STRANGERS; n++) statuses.push((await guess(n)).status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(GUESSES_OF_STRANGERS);
  const all = ({ rows }: Awaited<ReturnType<typeof stored>>) =>
    (rows.webhook_deliveries ?? 0) - (before.rows.webhook_deliveries ?? 0);
  const after = await until(
    stored,
    (now) =>
      all(now) >= GUESSES_OF_STRANGERS &&
      now.rows.event_queue === 0 &&
      now.workflows - before.workflows >= GUESSES_OF_STRANGERS,
  );
  await receiver.stop();
  // Each checked guess leaves an event and its delivery to the one webhook, but no notice.
  expect(grown(before.rows, after.rows).sort()).toEqual([
    ...["event_chain_queue", "event_keys", "events", "webhook_deliveries"],
  ]);
  expect((after.rows.events ?? 0) - (before.rows.events ?? 0)).toBe(GUESSES_OF_STRANGERS);
  expect(all(after)).toBe(GUESSES_OF_STRANGERS);
  expect(after.workflows - before.workflows).toBe(GUESSES_OF_STRANGERS);
  // Keys: for each guess, even a refused one, the address and its logins; and a few for the name.
  expect(after.keys - before.keys).toBeLessThanOrEqual(3 * 2 * GUESSES_OF_STRANGERS + 5);
  expect(after.kept).toEqual(before.kept);
});

describe("attack: a user sends a new key and a new number each time", () => {
  async function session() {
    const { token } = await logInByPassword(stack, await stack.createUser());
    /** Sends a form that is refused. Its page shows what was typed. */
    const form = (email: string) =>
      stack.app.request(`${SITE}/devices/email`, {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "sec-fetch-site": "same-origin",
          cookie: `__Host-session=${token}`,
        },
        body: new URLSearchParams({ email, once: newId() }).toString(),
      });
    return { token, form };
  }

  test("only a user's newest fifty answers are kept, whatever they were for", async () => {
    const { token, form } = await session();
    const before = await stored();
    const headers = () => ({ "idempotency-key": newId() });
    for (let n = 0; n < 40; n++) {
      expect((await form("x")).status).toBe(303);
      const path = "/v1/me/recovery-codes";
      await stack.api.call("POST", path, { token, headers: headers(), body: { quantity: 99 } });
    }
    const after = await stored();
    expect(after.kept.length - before.kept.length).toBe(50);
    expect(grown(before.rows, after.rows)).toEqual([]);
  });

  test("an answer over the size limit is not kept", async () => {
    const { token } = await session();
    const { config } = stack.deps;
    const keptOf = async (bytes: number) => {
      const storedResponses = { ...config.limits.storedResponses, bytes } as never;
      const limits = { ...config.limits, storedResponses };
      const app = createApp({ ...stack.deps, config: { ...config, limits } });
      const before = await stored();
      const answer = await app.request("/v1/me/devices/otp", {
        method: "POST",
        headers: {
          ...{ "content-type": "application/json", "idempotency-key": newId() },
          authorization: `Bearer ${token}`,
        },
        body: "{}",
      });
      expect(answer.status).toBe(422);
      return (await stored()).kept.length - before.kept.length;
    };
    expect(await keptOf(100)).toBe(0);
    expect(await keptOf(32 * 1024)).toBe(1);
  });
});
