import { describe, expect, test } from "vitest";
import type { Policy } from "../../core/account/policy.ts";
import { logInByApp, userWithApp, verifiedApp } from "../support/apps.ts";
import type { ApiClient } from "../support/client.ts";
import { impatientClient } from "../support/flow-attacks.ts";
import { KEY_SETTINGS, logInByKey, newKey, userWithKey } from "../support/keys.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../support/used.ts";

const PATH = "/v1/account/multi-factor-policy";

const stack = useStack({ environment: KEY_SETTINGS });
const gateway = useGatewayBehindLinks(stack);

/** An account with an administrator and a member, both logged in by password. */
async function account() {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  return {
    token: (await logInByPassword(stack, admin)).token,
    weak: (await logInByPassword(stack, member)).token,
    member,
  };
}

const require = (api: ApiClient, token: string) =>
  api.call<Policy>("PUT", PATH, { token, body: { requirement: "required" } });

/**
 * Waits until the requirement has ended the session. It ends the administrator's too, so on a slow
 * day they may get no answer to their request.
 */
async function endsByPolicy(token: string) {
  const session = () => stack.api.session(token);
  const { problem } = await until(session, ({ status }) => status === 401);
  expect(problem.reason).toBe("policy_required");
}

test("while Temporal is away a policy stays as it is; a later request changes it", async () => {
  const { token, weak } = await account();
  await gateway.links.temporal.cut();
  expectProblem(await require(gateway.api, token), "service_unavailable");
  const before = await gateway.api.call<Policy>("GET", PATH, { token });
  expect(before.body).toMatchObject({ requirement: "optional", state: "optional" });
  expect((await stack.api.session(weak)).status).toBe(200);
  await gateway.links.temporal.mend();
  await require(stack.api, token);
  await endsByPolicy(weak);
});

test("without a worker a policy stays as it is; a request after its restart changes it", async () => {
  const { token, weak } = await account();
  await stack.stopWorker();
  expectProblem(await require(gateway.api, token), "service_unavailable");
  expect((await stack.api.session(weak)).status).toBe(200);
  await stack.restartWorker();
  await require(stack.api, token);
  await endsByPolicy(weak);
});

test("a policy that is stored but not enforced yet is not answered as done", async () => {
  const { token, weak } = await account();
  const { redis } = stack.deps;
  let goOn = () => {};
  const goesOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  // The worker stops between storing the policy and its next step, as if it were slow there.
  const slow: typeof redis = Object.create(redis, {
    scheduleEnforcement: {
      value: async (...args: Parameters<typeof redis.scheduleEnforcement>) => {
        await goesOn;
        return redis.scheduleEnforcement(...args);
      },
    },
  });
  await stack.stopWorker();
  await stack.restartWorker({ redis: slow });
  const impatient = impatientClient(stack);
  expectProblem(await require(impatient, token), "service_unavailable");
  const stored = await stack.api.call<Policy>("GET", PATH, { token });
  expect(stored.body).toMatchObject({ requirement: "required", state: "enforcing" });
  // The same request again waits for the end of the sessions too.
  expectProblem(await require(impatient, token), "service_unavailable");
  expect((await stack.api.session(weak)).status).toBe(200);
  goOn();
  await endsByPolicy(weak);
});

describe("at the end of a grace period, while no worker runs", () => {
  const MINUTE_MS = 60_000;
  const announce = (token: string, body: object) =>
    stack.api.call<Policy>("PUT", PATH, { token, body });
  const inMinutes = (minutes: number) =>
    new Date(stack.clock.now() + minutes * MINUTE_MS).toISOString();

  /** Does `work` without a worker, at the time when the grace period of half an hour ends. */
  async function withoutWorker(work: () => Promise<void>) {
    await stack.stopWorker();
    try {
      await stack.advance(30 * MINUTE_MS - 1);
      await work();
    } finally {
      await stack.restartWorker();
    }
  }

  test("a session without a second factor ends to the millisecond; one with it stays", async () => {
    const { token, weak, member } = await account();
    const strong = await stack.createUser({ accountId: member.accountId });
    const { secret } = await verifiedApp(stack, (await logInByPassword(stack, strong)).token, true);
    const { token: safe } = await logInByApp(stack, strong, secret);
    const body = { requirement: "required", enforceAfter: inMinutes(30) };
    expect((await announce(token, body)).body).toMatchObject({ state: "grace_period" });
    await withoutWorker(async () => {
      expect((await stack.api.session(weak)).status).toBe(200);
      await stack.advance(1);
      const { reason } = expectProblem(await stack.api.session(weak), "session_revoked");
      expect(reason).toBe("policy_required");
      expect((await stack.api.session(safe)).status).toBe(200);
      // A login from now on gets a session for set-up, which the requirement does not end.
      const set = await logInByPassword(stack, member);
      expect(set.scope).toBe("mfa_setup");
      expect((await stack.api.multiFactor(set.token)).status).toBe(200);
    });
  });

  test("where a key is required, a session without one ends so; one with it stays", async () => {
    const { token, member } = await account();
    const { accountId } = member;
    const { user, secret } = await userWithApp(stack, { accountId });
    const { user: keyed, key } = await userWithKey(stack, newKey(), { accountId });
    const body = { requirement: "phishing_resistant", enforceAfter: inMinutes(30) };
    expect((await announce(token, body)).body).toMatchObject({ state: "grace_period" });
    const weak = (await logInByApp(stack, user, secret)).token;
    const strong = (await logInByKey(stack, keyed, key)).token;
    await stack.stopWorker();
    try {
      await stack.advance(Date.parse(body.enforceAfter) - stack.clock.now() - 1);
      expect((await stack.api.session(weak)).status).toBe(200);
      await stack.advance(1);
      const { reason } = expectProblem(await stack.api.session(weak), "session_revoked");
      expect(reason).toBe("key_required");
      expect((await stack.api.session(strong)).status).toBe(200);
    } finally {
      await stack.restartWorker();
    }
  });

  test("a login that began before the end gets no session that outlives it", async () => {
    const { token, member } = await account();
    const body = { requirement: "required", enforceAfter: inMinutes(30) };
    expect((await announce(token, body)).status).toBe(202);
    await withoutWorker(async () => {
      // Redis answers a millisecond late, and the grace period ends in that time.
      const { redis } = stack.deps;
      const slow = gatewayOver(stack, {
        redis: Object.create(redis, {
          openSession: {
            value: async (...args: Parameters<typeof redis.openSession>) => {
              await stack.advance(1);
              return redis.openSession(...args);
            },
          },
        }),
      });
      const late = (await slow.logIn(member)).body;
      if (late.status !== "authenticated") throw new Error(`It answered ${late.status}`);
      expectProblem(await stack.api.session(late.session.token), "session_revoked");
    });
  });

  test("nothing ends if another policy has replaced it", async () => {
    for (const instead of [
      () => ({ requirement: "optional" }),
      () => ({ requirement: "required", enforceAfter: inMinutes(60) }),
    ]) {
      const { token, weak } = await account();
      await announce(token, { requirement: "required", enforceAfter: inMinutes(30) });
      expect((await announce(token, instead())).body).toMatchObject(instead());
      await withoutWorker(async () => {
        await stack.advance(1);
        expect((await stack.api.session(weak)).status).toBe(200);
      });
    }
  });
});
