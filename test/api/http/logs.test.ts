import { expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { newPhone } from "../../support/phones.ts";
import { enrollPhone, logInByPassword, startChallenge } from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

async function enrolled() {
  const user = await stack.createUser();
  await enrollPhone(stack, user);
  return user;
}

const lines = () => stack.logged().map((line) => JSON.parse(line));

test("a request's log line has the request id of the answer, the user and the workflow it moved", async () => {
  const user = await stack.createUser();
  await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  const { headers } = await stack.api.verifyPasscode(id, "0000000");
  const requestId = headers.get("x-request-id");
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines().filter((line) => line.requestId === requestId)).toEqual([
    expect.objectContaining({
      msg: "request",
      userId: user.id,
      workflowIds: [`login-challenge/${id}`],
      status: 422,
    }),
  ]);
});

test("a request's log line has the route's pattern, the problem and the build, but no path", async () => {
  const config = { ...stack.deps.config, WORKER_BUILD_ID: "2026.11-a" };
  const app = createApp({ ...stack.deps, config });
  const { id } = await startChallenge(stack, await enrolled());
  const answer = async (path: string, body: string) => {
    const headers = { "content-type": "application/json" };
    const response = await app.request(path, { method: "POST", headers, body });
    const requestId = response.headers.get("x-request-id");
    return lines().find((line) => line.requestId === requestId && line.msg === "request");
  };
  const passcode = JSON.stringify({ passcode: "0000000" });
  const wrong = await answer(`/v1/login/challenges/${id}/verify`, passcode);
  expect(wrong).toMatchObject({
    method: "POST",
    route: "/v1/login/challenges/:id/verify",
    status: 422,
    problem: "passcode_rejected",
    build: "2026.11-a",
  });
  expect(JSON.stringify({ ...wrong, workflowIds: [] })).not.toContain(id);
  expect(await answer("/v1/login", "{")).toMatchObject({
    route: "/v1/login",
    status: 400,
    problem: "malformed_json",
  });
  const nowhere = await answer("/wp-login.php", "{}");
  expect(nowhere).toMatchObject({ route: "none", status: 404 });
  expect(JSON.stringify(nowhere)).not.toContain("wp-login");
});

test("the log line of a request names the session's user", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { headers } = await stack.api.multiFactor(token);
  const requestId = headers.get("x-request-id");
  expect(lines().find((line) => line.requestId === requestId)).toMatchObject({ userId: user.id });
});

test.each([
  ["is taken", 1, "edge-7f3a.1:42", true],
  ["is not taken without a proxy", 0, "edge-7f3a.1:42", false],
  ["is not taken where it could fill the log", 1, "x".repeat(65), false],
  ["is not taken where it could forge a line", 1, 'a","level":60,"b', false],
])("a proxy's request id %s", async (_, proxies, id, taken) => {
  const config = { ...stack.deps.config, TRUSTED_PROXIES: proxies };
  const app = createApp({ ...stack.deps, config });
  const { headers } = await app.request("/healthz", { headers: { "x-request-id": id } });
  expect(headers.get("x-request-id") === id).toBe(taken);
});

test("attack: a client's own request id reaches no log if no proxy passed it on", async () => {
  await stack.app.request("/healthz", { headers: { "x-request-id": "pretended-id-1" } });
  expect(stack.logged().join("")).not.toContain("pretended-id-1");
});

test("a worker's log line about an activity names its workflow, run and attempt", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  stack.failSms("refuse");
  const { id } = (await stack.api.registerPhone(token, newPhone())).body;
  const failed = () => lines().filter(({ workflowId }) => workflowId === `sms-enrollment/${id}`);
  const [first, second] = await until(
    async () => failed(),
    ({ length }) => length > 1,
  );
  stack.failSms();
  expect(first).toMatchObject({ activity: "sendPin", attempt: 1, runId: expect.any(String) });
  expect(second).toMatchObject({ activity: "sendPin", attempt: 2, runId: first.runId });
});

test("attack: a token in a path reaches no log, however its characters are encoded", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  const [id = "", secret = ""] = token.split(".");
  const encode = (text: string) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`;
  for (const written of [
    token,
    `${encode(id)}.${secret}`,
    `${id}%2E${encode(secret)}`,
    `${id}%2e${secret}%ff`,
    `${encode(id)}%2e${secret}/%ff`,
  ])
    await stack.app.request(`/v2.0/tokens/${written}`, { headers: { "x-auth-token": token } });
  expect(stack.logged().join("")).not.toContain(secret.slice(1));
});
