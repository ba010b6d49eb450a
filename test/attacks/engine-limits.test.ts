// I have the password, or a session. Temporal limits a workflow to 2,000 Updates in all and ten at
// a time. I bring a flow to these limits and hope that the service takes that for an outage.
import { expect, test } from "vitest";
import { workflowIds } from "../../workflows/ids.ts";
import { registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import { flowAttacks } from "../support/flow-attacks.ts";
import { expectProblem } from "../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const BUDGET = 7;

const stack = useStack({
  // A real server with limits just high enough for honest flows, so that the refusals are
  // Temporal's own.
  temporalSettings: { "history.maxTotalUpdates": 8, "history.maxInFlightUpdates": 2 },
});

const { impatient, now, remaining, eventsOf, withoutWorker } = flowAttacks(stack);

async function withBoth() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  const { secret } = await verifiedApp(stack, token, true);
  return { user, secret, token };
}

test("switching the method until Temporal refuses the workflow ends the challenge; no guess is free", async () => {
  const { user, secret } = await withBoth();
  const { id } = await startChallenge(stack, user);
  const switches = [];
  for (let n = 0; n < 12; n++)
    switches.push(await stack.api.chooseMethod(id, n % 2 ? "otp" : "sms"));
  const refused = switches.filter(({ status }) => status !== 200);
  expect(switches.length - refused.length).toBe(8);
  for (const answer of refused)
    expect(expectProblem(answer, "challenge_expired").reason).toBe("too_many_requests");
  // No API checks a passcode any more, right or wrong.
  for (const code of [now(secret), wrongCode(now(secret))])
    expectProblem(await stack.api.verifyPasscode(id, code), "challenge_expired");
  const { state, problem, next } = (await stack.api.challenge(id)).body;
  expect({ state, problem, next }).toEqual({
    state: "withdrawn",
    problem: "too_many_requests",
    next: [],
  });
  const page = await stack.app.request(`/login/${id}`);
  expect(page.status).toBe(410);
  expect(await page.text()).toContain("Too many requests were made for this login.");
  const handle = stack.temporal.client.workflow.getHandle(workflowIds.loginChallenge(id));
  expect(await handle.result()).toMatchObject({ state: "withdrawn" });

  const other = await startChallenge(stack, user);
  expect(other.attemptsRemaining).toBe(BUDGET);
  expect((await stack.api.verifyPasscode(other.id, now(secret))).status).toBe(200);
});

test("a wrong passcode at a workflow that Temporal refuses counts, and ends the challenge", async () => {
  const { user, secret } = await withBoth();
  const { id } = await startChallenge(stack, user);
  const handle = stack.temporal.client.workflow.getHandle(workflowIds.loginChallenge(id));
  for (let n = 0; n < 8; n++)
    await handle.executeUpdate("chooseMethod", {
      args: [{ method: n % 2 ? "otp" : "sms", maySend: false }],
    });
  const other = await startChallenge(stack, user);
  const wrong = await stack.api.verifyPasscode(id, wrongCode(now(secret)));
  expect(expectProblem(wrong, "challenge_expired").reason).toBe("too_many_requests");
  await stack.advance(30_000);
  expect(await remaining(other.id)).toBe(BUDGET - 1);
});

test("more requests at once than a workflow takes are no outage: each refused one is spent, right or wrong", async () => {
  const people = [await userWithApp(stack), await userWithApp(stack)];
  for (const [index, { user, secret }] of people.entries()) {
    const { id } = await startChallenge(stack, user);
    const guess = (n: number) => (index === 0 ? now(secret) : wrongCode(now(secret), n + 1));
    const answers = await withoutWorker(() =>
      Promise.all(Array.from({ length: 5 }, (_, n) => impatient().verifyPasscode(id, guess(n)))),
    );
    for (const answer of answers) expectProblem(answer, "service_unavailable");
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const { id: other } = await startChallenge(stack, user);
    expect(await remaining(other)).toBe(BUDGET - 3);
    await stack.advance(30_000);
    expect(await remaining(other)).toBe(BUDGET - 3);
  }
});

test("a hundred wrong codes end the set-up of an app; the page and the owner's activity say so", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  const answers = [];
  for (let n = 0; n < 100; n++)
    answers.push(await stack.api.verifyDevice(token, device.id, wrongCode(now(secret), n + 1)));
  // With these settings Temporal refuses before our own budget does.
  const ended = answers.filter(({ status }) => status === 410);
  for (const answer of ended) expectProblem(answer, "enrollment_ended");
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(8);
  await until(
    () => stack.api.multiFactor(token),
    ({ body }) => body.devices.length === 0,
  );
  expectProblem(await stack.api.verifyDevice(token, device.id, now(secret)), "device_not_found");
  const [event] = await eventsOf(token, "enrollment_ended");
  expect(event?.detail).toMatchObject({ deviceId: device.id, reason: "too_many_requests" });
  await registerApp(stack, token);
});
