// I am an administrator with a slow page: I press the button twice, mistype a date, or a colleague
// is faster. A request that changes nothing must not use up today's budget; one that starts a flow
// must.

import { afterEach, describe, expect, test } from "vitest";
import type { Limits } from "../../config.ts";
import type { Policy } from "../../core/account/policy.ts";
import type { PolicyRequest } from "../../core/account/roll-out.ts";
import type { DeliveryView } from "../../core/webhooks/deliveries.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { TemporalUnreached } from "../../temporal/errors.ts";
import { DAY_MS } from "../../units.ts";
import { loggedIn, verifiedApp } from "../support/apps.ts";
import type { ApiClient } from "../support/client.ts";
import { dns } from "../support/dns.ts";
import { expectProblem } from "../support/problems.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { gatewayOver, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { deliveryFlow } from "../support/webhooks.ts";
import { slowGateway } from "./races/slow-gateway.ts";

const POLICY = "/v1/account/multi-factor-policy";
const WEBHOOKS = "/v1/account/webhooks";

const stack = useStack();

/** The stack with other limits. */
function limited(limits: { [Name in keyof Limits]?: object | number }): Stack {
  const { deps } = stack;
  const config = { ...deps.config, limits: { ...deps.config.limits, ...limits } as Limits };
  return { ...stack, deps: { ...deps, config } };
}

const put = (api: ApiClient, token: string, body: PolicyRequest) =>
  api.call<Policy>("PUT", POLICY, { token, body });

const inDays = (days: number): PolicyRequest => ({
  requirement: "required",
  enforceAfter: { days },
});

describe("changes of a policy", () => {
  const small = () => limited({ policyChangesPerDay: 2 });

  test("an unchanged policy costs nothing; changes that start a roll-out are limited", async () => {
    const api = gatewayOver(small(), {});
    const { token } = await loggedIn(stack, "administrator");
    const other = await loggedIn(stack, "administrator");
    const unchanged = () => put(api, token, { requirement: "optional" });
    for (let n = 0; n < 5; n++) expect((await unchanged()).status).toBe(200);
    expect((await put(api, token, inDays(20))).status).toBe(202);
    expect((await put(api, token, inDays(21))).status).toBe(202);
    const { enforceAfter } = (await put(api, token, inDays(21))).body;
    expectProblem(await put(api, token, inDays(22)), "policy_change_limit");
    // The refused change was not made, and a request that changes nothing is still answered.
    expect((await put(api, token, inDays(21))).body.enforceAfter).toBe(enforceAfter);
    const domain = await api.call(
      "PUT",
      `/v2.0/RAX-AUTH/domains/${(await stack.api.session(token)).body.user.accountId}/multi-factor`,
      {
        headers: { "x-auth-token": token },
        body: { "RAX-AUTH:multiFactorDomain": { domainMultiFactorEnforcementLevel: "OPTIONAL" } },
      },
    );
    expect(domain.status).toBe(413);
    expect((await put(api, other.token, inDays(20))).status).toBe(202);
  });

  test("the next day has a new budget", async () => {
    const api = gatewayOver(small(), {});
    const { user, token } = await loggedIn(stack, "administrator");
    for (const days of [20, 21]) await put(api, token, inDays(days));
    expectProblem(await put(api, token, inDays(22)), "policy_change_limit");
    await stack.advance(DAY_MS);
    const next = await logInByPassword(stack, user);
    expect((await put(api, next.token, inDays(22))).status).toBe(202);
  });

  test("an impossible date costs nothing", async () => {
    const api = gatewayOver(small(), {});
    const { token } = await loggedIn(stack, "administrator");
    const bad: PolicyRequest[] = [
      { requirement: "required", enforceAfter: "2020-01-01T00:00:00Z" },
      { requirement: "required", enforceAfter: "2099-01-01T00:00:00Z" },
      { requirement: "optional", enforceAfter: { days: 3 } },
    ];
    for (const body of bad) expectProblem(await put(api, token, body), "invalid_request");
    for (const days of [20, 21]) expect((await put(api, token, inDays(days))).status).toBe(202);
  });

  test("of two administrators at once the slower one is refused and pays nothing", async () => {
    const { user, token } = await loggedIn(stack, "administrator");
    const colleague = await loggedIn(stack, "administrator", user.accountId);
    const { flows } = stack.deps;
    const both = meeting(2);
    const startPolicyRollout: typeof flows.startPolicyRollout = async (rollout) => {
      await both();
      return flows.startPolicyRollout(rollout);
    };
    const api = gatewayOver(small(), { flows: { ...flows, startPolicyRollout } });
    const answers = await Promise.all([
      put(api, token, inDays(20)),
      put(api, colleague.token, inDays(21)),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    const again = gatewayOver(small(), {});
    expect((await put(again, token, inDays(30))).status).toBe(202);
    expectProblem(await put(again, token, inDays(31)), "policy_change_limit");
  });

  test("a roll-out that Temporal could not start costs nothing", async () => {
    const { token } = await loggedIn(stack, "administrator");
    const { flows } = stack.deps;
    let away = 3;
    const startPolicyRollout: typeof flows.startPolicyRollout = async (rollout) => {
      if (away-- > 0) throw new TemporalUnreached();
      return flows.startPolicyRollout(rollout);
    };
    // This client retries a 503.
    const api = gatewayOver(small(), { flows: { ...flows, startPolicyRollout } });
    for (const days of [20, 21]) expect((await put(api, token, inDays(days))).status).toBe(202);
    expect(away).toBeLessThan(0);
  });
});

test("a roll-out counts its users again only so often, however often its page is read", async () => {
  const { user, token } = await loggedIn(stack, "administrator");
  await verifiedApp(stack, token, false);
  const member = await stack.createUser({ accountId: user.accountId });
  await put(stack.api, token, { requirement: "required" });
  const asked: string[] = [];
  const { flows } = stack.deps;
  // A flow that finds at every count that a user still has no device.
  const movePolicyRollout: typeof flows.movePolicyRollout = async (rollout, update) => {
    asked.push(update);
    const view = await flows.policyRollout(rollout.accountId, rollout.version);
    if (!view) throw new Error("There is no roll-out");
    return { moved: true, view };
  };
  const small = limited({
    flowRequests: { ...stack.deps.config.limits.flowRequests, recounts: 2 },
  });
  const api = gatewayOver(small, { flows: { ...flows, movePolicyRollout } });
  const read = () => api.call<Policy>("GET", POLICY, { token });
  // The flow is not asked for a count while a user has no device.
  expect((await read()).body).toMatchObject({ state: "enforced", users: { toGo: 1 } });
  expect(asked).toEqual([]);
  await setUp(member);
  for (let n = 0; n < 5; n++)
    expect((await read()).body).toMatchObject({ state: "enforced", users: { toGo: 0 } });
  expect(asked).toEqual(["recount", "recount"]);
  // The real flow, when asked, completes at once.
  expect((await stack.api.call<Policy>("GET", POLICY, { token })).body.state).toBe("completed");
});

/** Sets up the second factor that the account requires. */
async function setUp(member: Parameters<ApiClient["logIn"]>[0]) {
  const login = (await stack.api.logIn(member)).body;
  if (login.status !== "setup_required") throw new Error(`It is ${login.status}`);
  await verifiedApp(stack, login.session.token, true);
}

describe("an event that is sent to a webhook again", () => {
  const receivers: Receiver[] = [];
  afterEach(async () => {
    for (const receiver of receivers.splice(0)) await receiver.stop();
  });

  /** A webhook with delivered events, newest first, and requests about them. */
  async function delivered(events: number) {
    const { user, token } = await loggedIn(stack, "administrator");
    const receiver = await startReceiver();
    receivers.push(receiver);
    const body = { url: receiver.url, types: ["notice_dropped"] };
    const { id } = (await stack.api.call<{ id: string }>("POST", WEBHOOKS, { token, body })).body;
    const { accountId, id: userId } = user;
    const at = new Date(stack.clock.now());
    for (let n = 0; n < events; n++)
      await recordEvent(stack.deps.db, {
        key: newId(),
        at,
        accountId,
        userId,
        type: "notice_dropped",
      });
    const list = async () =>
      (
        await stack.api.call<{ deliveries: DeliveryView[] }>(
          "GET",
          `${WEBHOOKS}/${id}/deliveries`,
          {
            token,
          },
        )
      ).body.deliveries;
    const taken = () =>
      until(
        list,
        (all) => all.length === events && all.every(({ state }) => state === "delivered"),
      );
    const eventIds = (await taken()).map(({ eventId }) => eventId);
    const ended = async (eventId: number) => {
      const flow = await deliveryFlow(stack.deps.db, id, eventId);
      await stack.temporal.client.workflow.getHandle(flow).result();
    };
    const resend = (api: ApiClient, eventId: number) =>
      api.call<DeliveryView>("POST", `${WEBHOOKS}/${id}/deliveries/${eventId}/resend`, { token });
    for (const eventId of eventIds) await ended(eventId);
    return { user, receiver, eventIds, list, ended, resend };
  }

  const small = () =>
    limited({ webhooks: { ...stack.deps.config.limits.webhooks, resendsPerDay: 2 } });

  test("can be sent again only so often a day; each event has its own budget", async () => {
    const api = gatewayOver(small(), {});
    const { receiver, eventIds, ended, resend } = await delivered(2);
    const [one, other] = eventIds as [number, number];
    for (let n = 0; n < 2; n++) {
      expect((await resend(api, one)).status).toBe(202);
      await ended(one);
    }
    const before = receiver.received.length;
    expectProblem(await resend(api, one), "resend_limit");
    expect((await resend(api, other)).status).toBe(202);
    await ended(other);
    expect(receiver.received).toHaveLength(before + 1);
  });

  test("costs nothing while an attempt runs, or if another request was faster", async () => {
    const api = gatewayOver(small(), {});
    const { receiver, eventIds, ended, resend } = await delivered(1);
    const [eventId] = eventIds as [number];
    receiver.answers(0);
    // The request's first write starts the delivery.
    const slow = slowGateway(small()).hold((through) => resend(through, eventId), "writes", 0);
    expect(await slow.reached).toBe(true);
    expect((await resend(api, eventId)).status).toBe(202);
    slow.goOn();
    expectProblem(await slow.answer, "illegal_transition");
    for (let n = 0; n < 3; n++) expectProblem(await resend(api, eventId), "illegal_transition");
    receiver.answers(204);
    await ended(eventId);
    expect((await resend(api, eventId)).status).toBe(202);
    await ended(eventId);
    expectProblem(await resend(api, eventId), "resend_limit");
  });
});

describe("changes of an account's webhooks", () => {
  const small = () =>
    limited({
      webhooks: { ...stack.deps.config.limits.webhooks, changesPerDay: 2, perAccount: 1 },
    });
  const url = "https://hooks.example/";

  test("a mistyped URL, one webhook too many, and enabling an enabled one cost nothing", async () => {
    const api = gatewayOver(small(), {});
    const { token } = await loggedIn(stack, "administrator");
    const add = (url: string) =>
      api.call<{ id: string }>("POST", WEBHOOKS, { token, body: { url } });
    for (const wrong of ["htps://hooks.example", "https://me@hooks.example", "hooks.example"])
      expectProblem(await add(wrong), "invalid_webhook_url");
    const { id } = (await add(url)).body;
    for (let n = 0; n < 3; n++) {
      expectProblem(await add(url), "too_many_webhooks");
      expect((await api.call("POST", `${WEBHOOKS}/${id}/enable`, { token })).status).toBe(200);
    }
    const remove = (id: string) => api.call("DELETE", `${WEBHOOKS}/${id}`, { token });
    await remove(id);
    const second = await add(url);
    expect(second.status).toBe(201);
    await remove(second.body.id);
    expectProblem(await add(url), "too_many_requests");
  });

  test("a host name that is looked up costs, whatever the outcome; an IP address costs nothing", async () => {
    const { resolve, asked } = dns(["10.0.0.1"]);
    const { config } = small().deps;
    const api = gatewayOver(stack, { config: { ...config, WEBHOOKS_INSIDE: false }, resolve });
    const { token } = await loggedIn(stack, "administrator");
    const add = (url: string) => api.call("POST", WEBHOOKS, { token, body: { url } });
    for (let n = 0; n < 3; n++)
      for (const inside of ["https://10.0.0.1/", "https://localhost/"])
        expectProblem(await add(inside), "invalid_webhook_url");
    for (let n = 0; n < 2; n++) expectProblem(await add(url), "invalid_webhook_url");
    expectProblem(await add(url), "too_many_requests");
    expect(asked).toHaveLength(2);
  });
});

test("setting the address for notices that another request has just set costs nothing", async () => {
  const small = limited({ addressChangesPerDay: 2 });
  const api = gatewayOver(small, {});
  const { token } = await loggedIn(stack, "member");
  const change = (through: ApiClient, email: string) =>
    through.call("PUT", "/v1/me/email", { token, body: { email } });
  const held = (through: ApiClient) => change(through, "alice@example.com");
  const slow = slowGateway(small).hold(held, "writes", 0);
  expect(await slow.reached).toBe(true);
  expect((await change(api, "alice@example.com")).status).toBe(200);
  slow.goOn();
  expect((await slow.answer).status).toBe(200);
  expect((await change(api, "alice@example.net")).status).toBe(200);
  expectProblem(await change(api, "alice@example.org"), "send_limit");
});

/** Holds each caller until `size` have come. Later callers pass at once. */
function meeting(size: number): () => Promise<void> {
  let there = 0;
  let open = () => {};
  const complete = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    if (++there === size) open();
    return complete;
  };
}
