// My request was let in; then my session is ended, or my role is taken from me. I had it wait on something
// slow (a name that resolves slowly, a password check, a workflow): when it goes on, it may no more.
import { eq } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import type { Resolve } from "../../gateways/public-addresses.ts";
import { newId } from "../../store/ids.ts";
import { createAccount } from "../../store/postgres/accounts.ts";
import { listEvents } from "../../store/postgres/events.ts";
import { users } from "../../store/postgres/schema.ts";
import type { Answer, ApiClient } from "../support/client.ts";
import { dns } from "../support/dns.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { type Request, v1 } from "./races/request.ts";
import { REQUESTS } from "./races/requests.ts";
import { type SlowGateway, slowGateway } from "./races/slow-gateway.ts";
import { newWorld, type World } from "./races/worlds.ts";

const HOOKS = "/v1/account/webhooks";
const url = "http://127.0.0.1:9/";

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });
let slow: SlowGateway;
beforeAll(() => {
  slow = slowGateway(stack);
});

const newHook = async ({ chief: token }: World) =>
  (await stack.api.call<{ id: string }>("POST", HOOKS, { token, body: { url } })).body.id;

/** An administrator of a new Cloud account. */
async function cloudUser() {
  const at = new Date(stack.clock.now());
  const account = await createAccount(stack.deps.db, { name: newId(), kind: "cloud", at });
  if (account === "exists") throw new Error("A random account name was taken");
  return stack.createUser({ accountId: account.id, role: "administrator" });
}

type Row = Pick<Request, "name" | "needs" | "send"> & { by: "token" | "chief" | "support" };

/** What administrators do, beside what they do to a user. */
const OF_ACCOUNTS: Row[] = [
  {
    name: "add a user",
    by: "chief",
    send: v1(
      "chief",
      "POST",
      () => "/v1/account/users",
      () => ({ username: `eve-${newId()}`, password: "long enough", role: "administrator" }),
    ),
  },
  {
    name: "add a webhook",
    by: "chief",
    send: v1(
      "chief",
      "POST",
      () => HOOKS,
      () => ({ url }),
    ),
  },
  {
    name: "remove a webhook",
    by: "chief",
    send: async (api, world) =>
      api.call("DELETE", `${HOOKS}/${await newHook(world)}`, { token: world.chief }),
  },
  {
    name: "enable a webhook",
    by: "chief",
    send: async (api, world) =>
      api.call("POST", `${HOOKS}/${await newHook(world)}/enable`, { token: world.chief }),
  },
  {
    name: "send an event again",
    by: "chief",
    send: async (api, world) => {
      const path = `${HOOKS}/${await newHook(world)}`;
      const token = world.chief;
      const body = { email: `${newId()}@example.org` };
      await stack.api.call("PUT", "/v1/me/email", { token: world.token, body });
      type Page = { deliveries: { eventId: number; state: string }[] };
      const page = await until(
        () => stack.api.call<Page>("GET", `${path}/deliveries`, { token }),
        (read) => read.body.deliveries[0]?.state === "waiting",
      );
      const eventId = page.body.deliveries[0]?.eventId;
      return api.call("POST", `${path}/deliveries/${eventId}/resend`, { token });
    },
  },
  {
    name: "link a Cloud account",
    by: "chief",
    send: async (api, { chief: token }) => {
      const { username, password } = await cloudUser();
      return api.call("POST", "/v1/account/links", { token, body: { username, password } });
    },
  },
];

/** Who sends each request about a user that comes by a session; the others come by none, or end some. */
const SENDERS: Record<string, Row["by"] | "none"> = {
  "a bypass code by the administrator": "chief",
  "require it of the user": "chief",
  "require it of the account": "chief",
  "give another role": "chief",
  "a reset by Support": "support",
  "an unlock by Support": "support",
  "an unlock by Support after a crash": "support",
  "the wrong passcode that locks": "none",
  "log in": "none",
  "answer a challenge": "none",
  "answer it by a recovery code": "none",
  "log out": "none",
  "end all other sessions": "none",
};

const OF_USERS: Row[] = REQUESTS.flatMap((request) => {
  const by = SENDERS[request.name] ?? "token";
  return by === "none" ? [] : [{ ...request, by }];
});

const ROWS = [...OF_USERS, ...OF_ACCOUNTS];

/** Every writing call of /v1 that was sent, for the list at the end. */
const sent = new Set<string>();

const noting = (api: ApiClient): ApiClient => ({
  ...api,
  call: (method, path, options) => {
    sent.add(`${method} ${path}`);
    return api.call(method, path, options);
  },
});

/** How many calls of the stores it takes to let a session in. */
async function callsOfEntry(token: string): Promise<number> {
  for (let n = 0; ; n++) {
    const held = slow.hold((api) => api.session(token), "every call", n);
    const isReached = await held.reached;
    held.goOn();
    await held.answer;
    if (!isReached) return n;
  }
}

/** Sends the row's request; once its session was let in, and before anything else, does that. */
async function meanwhile(row: Row, world: World, act: () => Promise<unknown>) {
  const n = await callsOfEntry(world[row.by]);
  const held = slow.hold((api) => row.send(noting(api), world, stack), "every call", n);
  expect(await held.reached).toBe(true);
  await act();
  held.goOn();
  return (await held.answer) as Answer<unknown>;
}

const typesOf = async ({ person: { accountId } }: World) => {
  const { events } = await listEvents(stack.deps.db, { accountId, limit: 100 });
  return events.map(({ type }) => type);
};

/** What getting ready leaves, and a lock that was there before. */
const TOLD_ANYWAY = ["webhook_added", "email_changed", "account_locked"];

describe("attack: a request that waits goes on after its session has ended", () => {
  test.each(ROWS.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    const world = await newWorld(stack, row.needs ?? {});
    const before = await typesOf(world);
    const answer = await meanwhile(row, world, () => stack.api.logOut(world[row.by]));
    expect(answer.status, answer.text).toBe(401);
    const more = (await typesOf(world)).slice(0, -before.length || undefined);
    expect(more.filter((type) => !TOLD_ANYWAY.includes(type))).toEqual([]);
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
      ["post", "put", "delete"].flatMap((verb) => {
        const method = verb.toUpperCase();
        return verb in (item ?? {}) && !isListed(method, path) ? [`${method} ${path}`] : [];
      }),
    );
    expect(missing.sort()).toEqual([
      // Which ends sessions, and no more.
      "DELETE /v1/sessions",
      "DELETE /v1/sessions/{id}",
      // Without a session.
      "POST /v1/login",
      "POST /v1/login/challenges/{id}/method",
      "POST /v1/login/challenges/{id}/resend",
      "POST /v1/login/challenges/{id}/verify",
      "POST /v1/logout",
      // Goes by the same call as a proof; a PIN was sent just now, and no other is for 30 seconds.
      "POST /v1/me/devices/{id}/pin",
      "POST /v1/providers/twilio/{reference}",
      // Which refuses everything.
      "PUT /v1/account/links/{id}/multi-factor-policy",
    ]);
  });
});

test("attack: my role is taken, and my sessions are not ended yet", async () => {
  const row = OF_ACCOUNTS.find(({ name }) => name === "add a user");
  if (!row) throw new Error("Nobody adds users");
  const world = await newWorld(stack, {});
  const { id: userId } = (await stack.api.session(world.chief)).body.user;
  const demoted = stack.deps.db.update(users).set({ role: "member" });
  const answer = await meanwhile(row, world, async () => demoted.where(eq(users.id, userId)));
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
  /** DNS that answers when it is told to. */
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

  test("is not added by an administrator whom a colleague demotes meanwhile", async () => {
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
