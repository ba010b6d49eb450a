import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import type { DeliveryView } from "../../core/webhooks/deliveries.ts";
import type { WebhookView } from "../../core/webhooks/webhooks.ts";
import { webhookSender } from "../../providers/webhook/webhook.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";
import { MINUTE_MS } from "../../units.ts";
import type { Call } from "../support/client.ts";
import { dns } from "../support/dns.ts";
import { otherType } from "../support/event-types.ts";
import { type Receiver, startReceiver, verified } from "../support/receiver.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { checkedClient } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { deliveryFlow, refOf } from "../support/webhooks.ts";

const WEBHOOKS = "/v1/account/webhooks";

const stack = useStack();

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

type Made = WebhookView & { secret: string };
type Page = { deliveries: DeliveryView[]; next: number | null };

/** An administrator of a new account, with the calls that they may make. */
async function newAdmin() {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const call = <Body>(method: string, path = "", more: Call = {}) =>
    stack.api.call<Body>(method, `${WEBHOOKS}${path}`, { token, ...more });
  const deliveries = async (id: string, query = "") =>
    (await call<Page>("GET", `/${id}/deliveries${query}`)).body;
  return {
    admin,
    token,
    call,
    add: (url: string, types?: string[]) => call<Made>("POST", "", { body: { url, types } }),
    deliveries,
    /** Waits until there are `count` deliveries and none is running. Returns them. */
    finished: (id: string, count: number) =>
      until(
        () => deliveries(id).then((page) => page.deliveries),
        (found) => found.length === count && found.every(({ state }) => state !== "attempting"),
      ),
    resend: (id: string, eventId: number | string) =>
      call<DeliveryView>("POST", `/${id}/deliveries/${eventId}/resend`),
    happen: async (type = "login_failed", times = 1) => {
      const { accountId, id: userId } = admin;
      const at = new Date(stack.clock.now());
      for (let n = 0; n < times; n++)
        await recordEvent(stack.deps.db, {
          key: newId(),
          at,
          accountId,
          userId,
          type: otherType(type),
        });
    },
  };
}

async function newReceiver() {
  const receiver = await startReceiver();
  receivers.push(receiver);
  return receiver;
}

test("the account's events reach its own webhook and no other account's", async () => {
  const [one, other] = [await newAdmin(), await newAdmin()];
  const [mine, theirs] = [await newReceiver(), await newReceiver()];
  const { id, secret, state, types } = (await one.add(mine.url)).body;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  expect({ state, types }).toEqual({ state: "enabled", types: null });
  await other.add(theirs.url);
  const delivered = await until(
    async () => mine.received.filter(({ body }) => body.includes("webhook_added")),
    (all) => all.length === 1,
  );
  expect(delivered.map((message) => verified(message, secret, stack.clock.now()))).toMatchObject([
    // The webhook exists when its own event is passed on.
    { type: "webhook_added", data: { actorId: one.admin.id, detail: { webhookId: id } } },
  ]);
  expect(theirs.received.every(({ body }) => !body.includes(one.admin.accountId))).toBe(true);
  const { deliveries } = await one.deliveries(id, "?limit=1");
  expect(deliveries).toMatchObject([{ type: "webhook_added", attempts: 1 }]);
});

test("the secret is shown once, and is sealed in the database", async () => {
  const { add, call } = await newAdmin();
  const { id, secret } = (await add((await newReceiver()).url)).body;
  for (const { text } of [await call("GET"), await call("GET", `/${id}`)])
    expect(text).not.toContain("whsec_");
  const rows = JSON.stringify(
    (await stack.deps.db.execute(`select * from webhooks where id = '${id}'`)).rows,
  );
  expect(rows).toContain("v1.test.");
  expect(rows).not.toContain(secret.slice("whsec_".length));
});

test("a webhook gets only the types that it asks for", async () => {
  const { add, happen, finished } = await newAdmin();
  const receiver = await newReceiver();
  const { id } = (await add(receiver.url, ["device_verified", "device_removed"])).body;
  for (const type of ["device_dropped", "device_verified", "device", "device_removed"])
    await happen(type);
  const types = (await finished(id, 2)).map(({ type }) => type);
  expect(types).toEqual(["device_removed", "device_verified"]);
});

test("attack: a stranger's list of unknown types is refused in a short answer", async () => {
  const [path, unknown] = ["types.0", "There is no such type of event."];
  for (const [count, fault] of [
    [1, { path, message: unknown }],
    [50, { path, message: unknown }],
    [
      10_000,
      { path: "types", message: "Name at most 50 event types, or leave this out for all events." },
    ],
  ] as const) {
    const body = { url: "https://receiver.example", types: Array(count).fill("x") };
    const answer = await stack.api.call("POST", WEBHOOKS, { body });
    expect(answer.problem).toMatchObject({ code: "invalid_request" });
    expect(answer.problem.errors?.[0]).toEqual(fault);
    expect(answer.text.length).toBeLessThan(4_000);
  }
});

test("an event that was not delivered can be sent again at once, several times, under the same id", async () => {
  const { add, happen, finished, resend } = await newAdmin();
  const receiver = await newReceiver();
  receiver.answers(500);
  const { id, secret } = (await add(receiver.url, ["login_failed"])).body;
  await happen();
  const [waiting] = await finished(id, 1);
  if (!waiting) throw new Error("There is no delivery");
  expect(waiting).toMatchObject({ state: "waiting", attempts: 1, lastOutcome: "500" });
  receiver.answers(200);
  const { eventId } = waiting;
  expect((await resend(id, eventId)).status).toBe(202);
  const delivered = async (attempts: number) =>
    until(
      async () => (await finished(id, 1))[0] as DeliveryView,
      (found) => found.state === "delivered" && found.attempts === attempts,
    );
  await delivered(2);
  for (const attempts of [3, 4]) {
    // The row is written a moment before the workflow ends, so wait for that.
    const flow = await deliveryFlow(stack.deps.db, id, eventId);
    await stack.temporal.client.workflow.getHandle(flow).result();
    expect((await resend(id, eventId)).body).toMatchObject({ state: "attempting" });
    await delivered(attempts);
  }
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(
    new Set([`evt_${await refOf(stack.deps.db, eventId)}`]),
  );
  for (const message of receiver.received)
    expect(verified<{ data: ShownEvent }>(message, secret, stack.clock.now()).data.id).toBe(
      eventId,
    );
});

test("another account's webhook cannot be read, removed, enabled or sent to", async () => {
  const [one, other] = [await newAdmin(), await newAdmin()];
  const { id } = (await one.add((await newReceiver()).url, ["login_failed"])).body;
  await one.happen();
  const [{ eventId }] = (await one.finished(id, 1)) as [DeliveryView];
  for (const target of [id, newId(), "nonsense"]) {
    const refused = [
      await other.call("GET", `/${target}`),
      await other.call("DELETE", `/${target}`),
      await other.call("POST", `/${target}/enable`),
      await other.call("GET", `/${target}/deliveries`),
      await other.resend(target, eventId),
    ];
    for (const { problem } of refused) expect(problem.code).toBe("webhook_not_found");
  }
  for (const unknown of [2 ** 49, 2 ** 70, "x", "1e2", "-1"])
    expect((await one.resend(id, unknown)).problem.code).toBe("delivery_not_found");
  expect((await one.call("GET", `/${id}`)).status).toBe(200);
});

test("members have no webhooks, and administrators need a recent login to change them", async () => {
  const { admin, add, call } = await newAdmin();
  const member = await stack.createUser({ accountId: admin.accountId });
  const { token } = await logInByPassword(stack, member);
  const receiver = await newReceiver();
  expect((await call("GET", "", { token })).problem.code).toBe("forbidden");
  expect((await call("POST", "", { token, body: { url: receiver.url } })).problem.code).toBe(
    "forbidden",
  );
  const { id } = (await add(receiver.url)).body;
  stack.advance(16 * MINUTE_MS);
  for (const answer of [
    await add(receiver.url),
    await call("DELETE", `/${id}`),
    await call("POST", `/${id}/enable`),
  ])
    expect(answer.problem.code).toBe("reauthentication_required");
  expect((await call("GET", `/${id}`)).status).toBe(200);
});

test("an account has ten webhooks at most, also if they are added at once", async () => {
  const { add, call } = await newAdmin();
  const { url } = await newReceiver();
  const made = await Promise.all(Array.from({ length: 14 }, () => add(url, ["policy_enforced"])));
  const refused = made.filter(({ status }) => status !== 201);
  expect(refused.map(({ problem }) => problem.code)).toEqual(Array(4).fill("too_many_webhooks"));
  const { webhooks } = (await call<{ webhooks: WebhookView[] }>("GET")).body;
  expect(webhooks).toHaveLength(10);
  expect((await call("DELETE", `/${webhooks[0]?.id}`)).status).toBe(204);
  expect((await add(url, ["policy_enforced"])).status).toBe(201);
});

test("a webhook that answered 410 is disabled until an administrator enables it", async () => {
  const { add, call, happen, finished, resend } = await newAdmin();
  const receiver = await newReceiver();
  receiver.answers(410);
  const { id } = (await add(receiver.url, ["login_failed"])).body;
  await happen();
  const [failed] = (await finished(id, 1)) as [DeliveryView];
  expect(failed).toMatchObject({ state: "failed", lastOutcome: "410" });
  const read = async () => (await call<WebhookView>("GET", `/${id}`)).body;
  const webhook = await until(read, ({ state }) => state === "disabled");
  expect(webhook.disabledFor).toBe("gone");
  expect((await resend(id, failed.eventId)).problem.code).toBe("webhook_disabled");
  receiver.answers(200);
  expect((await call<WebhookView>("POST", `/${id}/enable`)).body).toMatchObject({
    state: "enabled",
    disabledFor: null,
  });
  await until(
    () => resend(id, failed.eventId),
    ({ status }) => status === 202,
  );
  await until(
    () => finished(id, 1),
    ([found]) => found?.state === "delivered",
  );
});

test("an event is not lost if no worker runs when it happens", async () => {
  const { add, happen, finished } = await newAdmin();
  const receiver = await newReceiver();
  const { id } = (await add(receiver.url, ["login_failed"])).body;
  await stack.stopWorker();
  await happen("login_failed", 3);
  await stack.restartWorker();
  expect(await finished(id, 3)).toMatchObject(Array(3).fill({ state: "delivered", attempts: 1 }));
  expect(receiver.received).toHaveLength(3);
});

/** Ways to write an internal address. Each is refused when saved and when an event is sent. */
const INSIDE = [
  "https://127.0.0.1/",
  "https://127.1/",
  "https://2130706433/",
  "https://0177.0.0.1/",
  "https://0x7f.0.0.1/",
  "https://0.0.0.0/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[2002:7f00:1::]/",
  "https://[fe80::1]/",
  "https://[fd00::1]/",
  "https://169.254.169.254/latest/meta-data/",
  "https://10.0.0.1/",
  "https://100.64.0.1/",
  "https://172.31.255.255/",
  "https://192.168.1.1/",
  "https://224.0.0.1/",
  "https://255.255.255.255/",
  "https://localhost/",
  "https://１２７.0.0.1/",
];

test.each(INSIDE)("%s is an internal address, and refused for a webhook", async (url) => {
  const { admin } = await newAdmin();
  const { token } = await logInByPassword(stack, admin);
  const config = { ...stack.deps.config, WEBHOOKS_INSIDE: false };
  const api = checkedClient(createApp({ ...stack.deps, config }), stack.document, stack.logged);
  const refused = await api.call("POST", WEBHOOKS, { token, body: { url } });
  expect(refused.problem).toMatchObject({
    code: "invalid_webhook_url",
    errors: [{ path: "url" }],
  });
  // As if DNS had answered something else when the webhook was saved.
  const sender = webhookSender({ inside: false, timeoutMs: 5000 });
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const message = { url, secret, id: "evt_1", at: new Date(0), body: "{}" };
  expect(await sender.send(message)).toBe("blocked_address");
});

test("a name that resolves to an internal address gets no connection", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const sender = webhookSender({ inside: false, timeoutMs: 5000 });
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  for (const host of ["localhost", "127.0.0.1"]) {
    const url = `http://${host}:${port}/`;
    const message = { url, secret, id: "evt_1", at: new Date(0), body: "{}" };
    expect(await sender.send(message)).toBe("blocked_address");
  }
  expect(connections).toBe(0);
  server.close();
});

test.each([
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "https://user:password@example.com/",
  "https://example.com/#fragment",
  "https://LOCALHOST./",
  "https://deep.localhost/",
  "https://",
  "nonsense",
])("%s cannot be a webhook's URL", async (url) => {
  const { admin } = await newAdmin();
  const { token } = await logInByPassword(stack, admin);
  const config = { ...stack.deps.config, WEBHOOKS_INSIDE: false };
  const api = checkedClient(createApp({ ...stack.deps, config }), stack.document, stack.logged);
  const { problem } = await api.call("POST", WEBHOOKS, { token, body: { url } });
  expect(problem.code).toBe("invalid_webhook_url");
});

test("a receiver that never answers is given up after the timeout", async () => {
  const receiver = await newReceiver();
  receiver.answers(0);
  const sender = webhookSender({ inside: true, timeoutMs: 200 });
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const message = { url: receiver.url, secret, id: "evt_1", at: new Date(0), body: "{}" };
  expect(await sender.send(message)).toBe("timeout");
});

test("attack: a name with a public and an internal address is refused for a webhook", async () => {
  const { admin } = await newAdmin();
  const { token } = await logInByPassword(stack, admin);
  const config = { ...stack.deps.config, WEBHOOKS_INSIDE: false };
  for (const [addresses, accepted] of [
    [["93.184.215.14", "10.0.0.1"], false],
    [["10.0.0.1", "93.184.215.14"], false],
    [["2606:4700::1111", "2002:7f00:1::"], false],
    [["93.184.215.14", "2606:4700::1111"], true],
  ] as const) {
    const { resolve } = dns(addresses);
    const app = createApp({ ...stack.deps, config, resolve });
    const api = checkedClient(app, stack.document, stack.logged);
    const body = { url: "https://hooks.example/" };
    const answer = await api.call<Made>("POST", WEBHOOKS, { token, body });
    if (accepted) expect(answer.body.url).toBe(body.url);
    else
      expect(answer.problem).toMatchObject({
        code: "invalid_webhook_url",
        errors: [{ path: "url" }],
      });
  }
});
