import { expect, test } from "vitest";
import type { Policy } from "../../api/policy.ts";
import type { ApiClient } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useGatewayBehindLinks, useStack } from "../support/used.ts";

const PATH = "/v1/account/multi-factor-policy";

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);

/** An account with an administrator and a member, both logged in by password. */
async function account() {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  return {
    token: (await logInByPassword(stack, admin)).token,
    weak: (await logInByPassword(stack, member)).token,
  };
}

const require = (api: ApiClient, token: string) =>
  api.call<Policy>("PUT", PATH, { token, body: { requirement: "required" } });

test("while Temporal is away a policy stays as it is; asked for again it is changed", async () => {
  const { token, weak } = await account();
  await gateway.links.temporal.cut();
  expectProblem(await require(gateway.api, token), "service_unavailable");
  const before = await gateway.api.call<Policy>("GET", PATH, { token });
  expect(before.body).toMatchObject({ requirement: "optional", state: "optional" });
  expect((await stack.api.session(weak)).status).toBe(200);
  await gateway.links.temporal.mend();
  expect((await require(stack.api, token)).body).toMatchObject({ state: "enforced" });
  expect((await stack.api.session(weak)).problem.reason).toBe("policy_required");
});

test("without a worker a policy stays as it is; the next one changes it", async () => {
  const { token, weak } = await account();
  await stack.stopWorker();
  expectProblem(await require(gateway.api, token), "service_unavailable");
  expect((await stack.api.session(weak)).status).toBe(200);
  await stack.restartWorker();
  expect((await require(stack.api, token)).body).toMatchObject({ state: "enforced" });
  expect((await stack.api.session(weak)).problem.reason).toBe("policy_required");
});
