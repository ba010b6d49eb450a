// My request has passed the session check. I made it wait for something slow: a slow name
// resolution, a password check, a workflow. Meanwhile my session ends or I lose my role. When the
// request goes on, it must be refused.
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import type { Resolve } from "../../providers/webhook/public-addresses.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { users } from "../../store/postgres/schema.ts";
import type { ApiClient } from "../support/client.ts";
import { dns } from "../support/dns.ts";
import { KEY_SETTINGS } from "../support/keys.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { useStack } from "../support/used.ts";
import { type BySession, OF_ACCOUNTS, OF_USERS } from "./races/by-session.ts";
import { type SlowGateway, slowGateway } from "./races/slow-gateway.ts";
import { newWorld, type World } from "./races/worlds.ts";

const HOOKS = "/v1/account/webhooks";

const stack = useStack({ environment: { ...KEY_SETTINGS, TRUSTED_PROXIES: "1" } });
let slow: SlowGateway;
beforeAll(() => {
  slow = slowGateway(stack);
});

const ROWS = [...OF_USERS, ...OF_ACCOUNTS];

type Send = (api: ApiClient) => Promise<unknown>;

/** Every writing call of /v1 that the tests sent, for the list at the end. */
const sent = new Set<string>();

const noting = (api: ApiClient): ApiClient => ({
  ...api,
  call: (method, path, options) => {
    sent.add(`${method} ${path}`);
    return api.call(method, path, options);
  },
});

/** The calls to the stores and to Temporal that the request makes. */
async function callsOf(send: Send): Promise<string[]> {
  const { answer, passed } = slow.hold(send, "every call", Number.POSITIVE_INFINITY);
  await answer;
  return passed;
}

/** The calls that check the row's session. */
const callsOfEntry = (row: BySession, world: World) => callsOf((api) => api.session(world[row.by]));

/** Calls that write: a transaction, which may wait for rows, or a message to a flow. */
const WRITE = /^(db\.transaction|flows\.(start|move|remove|resend)\w+)$/;

/**
 * How many calls the row makes before its last write. If that is a message to a flow, which does
 * not check again, the session check right before it does not count.
 */
async function callsBeforeWrite(row: BySession, world: World): Promise<number> {
  const look = await callsOfEntry(row, world);
  const another = await newWorld(stack, row.needs ?? {});
  const calls = await callsOf(await row.ready(another, stack));
  let n = calls.findLastIndex((call) => WRITE.test(call));
  if (calls[n] === "db.transaction") return n;
  while (look.includes(calls[n - 1] ?? "")) n--;
  return n;
}

/** Sends the row's request, and runs `act` before its n-th call. */
async function meanwhile(row: BySession, world: World, n: number, act: () => Promise<unknown>) {
  const send = await row.ready(world, stack);
  const held = slow.hold((api) => send(noting(api)), "every call", n);
  expect(await held.reached).toBe(true);
  await act();
  held.goOn();
  return held.answer;
}

const typesOf = async ({ person: { accountId } }: World) => {
  const { events } = await listEvents(stack.deps.db, { accountId, limit: 100 });
  return events.map(({ type }) => type);
};

/** Events of the set-up, and of a lock from before. */
const EARLIER_EVENTS = ["webhook_added", "email_changed", "account_locked"];

describe("attack: a waiting request goes on after its session has ended", () => {
  const named = ROWS.map((row) => [row.name, row] as const);

  async function isRefused(row: BySession, world: World, n: number) {
    const before = await typesOf(world);
    const answer = await meanwhile(row, world, n, () => stack.api.logOut(world[row.by]));
    expect(answer.status, answer.text).toBe(401);
    const more = (await typesOf(world)).slice(0, -before.length || undefined);
    expect(more.filter((type) => !EARLIER_EVENTS.includes(type))).toEqual([]);
  }

  test.each(named)("%s, after it was let in", async (_, row) => {
    const world = await newWorld(stack, row.needs ?? {});
    await isRefused(row, world, (await callsOfEntry(row, world)).length);
  });

  test.each(named)("%s, right before it writes", async (_, row) => {
    const world = await newWorld(stack, row.needs ?? {});
    await isRefused(row, world, await callsBeforeWrite(row, world));
  });

  test("every call of /v1 that changes something is in the list", () => {
    const parameter = /\{\w+\}/g;
    const isListed = (method: string, path: string) => {
      const pattern = new RegExp(`^${path.replace(parameter, "[^/]+")}$`);
      return [...sent].some((call) => {
        const [by = "", at = ""] = call.split(" ");
        return by === method && pattern.test(at);
      });
    };
    const missing = Object.entries(stack.document.paths ?? {}).flatMap(([path, item]) =>
      ["post", "put", "patch", "delete"].flatMap((verb) => {
        const method = verb.toUpperCase();
        return verb in (item ?? {}) && !isListed(method, path) ? [`${method} ${path}`] : [];
      }),
    );
    expect(missing.sort()).toEqual([
      // These only end sessions.
      "DELETE /v1/sessions",
      "DELETE /v1/sessions/{id}",
      // These need no session.
      "POST /v1/login",
      "POST /v1/login/challenges/{id}/method",
      "POST /v1/login/challenges/{id}/resend",
      "POST /v1/login/challenges/{id}/verify",
      "POST /v1/login/challenges/{id}/webauthn",
      "POST /v1/login/passkey",
      "POST /v1/login/passkey/options",
      "POST /v1/logout",
      // Uses the same call as verifying. Not sent here, because no second PIN is sent for 30
      // seconds.
      "POST /v1/me/devices/{id}/pin",
      "POST /v1/providers/twilio/{reference}",
      // This call refuses every request.
      "PUT /v1/account/links/{id}/multi-factor-policy",
    ]);
  });
});

test("attack: an administrator loses the role, but the sessions have not ended yet", async () => {
  const row = OF_ACCOUNTS.find(({ name }) => name === "add a user");
  if (!row) throw new Error("Nobody adds users");
  const world = await newWorld(stack, {});
  const { id: userId } = (await stack.api.session(world.chief)).body.user;
  const demoted = stack.deps.db.update(users).set({ role: "member" });
  const { length } = await callsOfEntry(row, world);
  const demote = async () => demoted.where(eq(users.id, userId));
  const answer = await meanwhile(row, world, length, demote);
  expect(expectProblem(answer, "session_revoked").reason).toBe("role_changed");
});

function gate(): [Promise<void>, () => void] {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [opened, open];
}

describe("attack: a webhook whose name resolves slowly", () => {
  /** A DNS double that answers when the test says so. */
  function slowNames() {
    const [asked, ask] = gate();
    const [answered, answer] = gate();
    const quick = dns(["93.184.215.14"]).resolve;
    const resolve = ((...args: Parameters<Resolve>) => {
      ask();
      answered.then(() => quick(...args));
    }) as unknown as Resolve;
    return { resolve, asked, answer };
  }

  test("is not added if a colleague demotes its administrator at the same time", async () => {
    const colleague = await stack.createUser({ role: "administrator" });
    const { accountId } = colleague;
    const admin = await stack.createUser({ accountId, role: "administrator" });
    const { token } = await logInByPassword(stack, admin);
    const names = slowNames();
    const config = { ...stack.deps.config, WEBHOOKS_INSIDE: false };
    const gateway = gatewayOver(stack, { resolve: names.resolve, config });
    const body = { url: "https://slow.example/hook" };
    const adding = gateway.call("POST", HOOKS, { token, body });
    await names.asked;
    const theirs = (await logInByPassword(stack, colleague)).token;
    const demoted = await stack.api.call("PUT", `/v1/account/users/${admin.id}/role`, {
      token: theirs,
      body: { role: "member" },
    });
    expect(demoted.status).toBe(200);
    names.answer();
    const answer = await adding;
    expect(expectProblem(answer, "session_revoked").reason).toBe("role_changed");
    expect(answer.text).not.toContain("secret");
    const left = await stack.api.call<{ webhooks: unknown[] }>("GET", HOOKS, { token: theirs });
    expect(left.body.webhooks).toEqual([]);
  });
});
