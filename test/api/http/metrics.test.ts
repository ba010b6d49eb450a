import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../scripts/ports.ts";
import { endEverySession } from "../../../store/generations/generations.ts";
import { chainEvents } from "../../../store/postgres/events/event-chain.ts";
import { documentedMetrics } from "../../support/documented-metrics.ts";
import { startGateway } from "../../support/gateway.ts";
import { limit } from "../../support/limits.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const read = () => stack.metrics();
const counts = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("second_step_http_request_duration_seconds_count"));

test("requests are counted by route, never by the address that was called", async () => {
  const user = await stack.createUser();
  const { token, id } = await logInByPassword(stack, user);
  await stack.api.endSession(token, id);
  await stack.app.request("/wp-login.php?user=1");
  const text = await read();
  expect(counts(text)).toEqual(
    expect.arrayContaining([
      expect.stringContaining('{method="POST",route="/v1/login",status="200"} 1'),
      expect.stringContaining('{method="DELETE",route="/v1/sessions/:id",status="204"} 1'),
      expect.stringContaining('{method="GET",route="none",status="404"} 1'),
    ]),
  );
  for (const secret of [id, token, user.username, "wp-login"]) expect(text).not.toContain(secret);
});

/** The value of the series with this name and labels. */
const readingOf = (text: string, series: string) => {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

test("logins are counted by the outcome of each step, and locks once", async () => {
  const logins = (step: string, outcome: string, method = "none") =>
    `second_step_logins_total{step="${step}",outcome="${outcome}",method="${method}"}`;
  const before = await read();
  const gained = (after: string, series: string) =>
    (readingOf(after, series) ?? 0) - (readingOf(before, series) ?? 0);

  const user = await stack.createUser();
  await stack.api.logIn({ ...user, password: "not the right one" });
  const { e164 } = await enrollPhone(stack, user);
  await logInBySms(stack, user, e164);
  const challenge = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, challenge.id);
  await stack.api.resendPasscode(challenge.id);
  for (let guess = 0; guess < 8; guess++)
    await stack.api.verifyPasscode(challenge.id, wrongCode(passcode));

  const after = await read();
  expect(gained(after, logins("password", "invalid_credentials"))).toBe(1);
  expect(gained(after, logins("password", "authenticated"))).toBe(1);
  expect(gained(after, logins("password", "challenge", "sms"))).toBe(2);
  expect(gained(after, logins("passcode", "authenticated", "sms"))).toBe(1);
  expect(gained(after, logins("passcode", "passcode_rejected", "sms"))).toBe(6);
  expect(gained(after, logins("passcode", "account_locked", "sms"))).toBe(2);
  expect(gained(after, "second_step_locks_total")).toBe(1);
  expect(gained(after, 'second_step_sends_refused_total{limit="challenge"}')).toBe(1);
  expect(gained(after, 'second_step_problems_total{code="passcode_rejected"}')).toBe(6);
  for (const secret of [e164.slice(1), user.id, user.username, challenge.id])
    expect(after).not.toContain(secret);
});

test("Redis scripts, Temporal calls and queries are measured by name and outcome", async () => {
  const before = await read();
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  await logInBySms(stack, user, e164);
  const count = (text: string, name: string, labels: string) =>
    readingOf(text, `second_step_${name}_duration_seconds_count{${labels}}`) ?? 0;
  // Polls, because the ping runs on a timer and not at a login.
  for (const [name, labels] of [
    ["redis_command", 'command="judgePasscode",outcome="ok"'],
    ["redis_command", 'command="ping",outcome="ok"'],
    ["temporal_call", 'call="start",outcome="ok"'],
    ["temporal_call", 'call="update",outcome="ok"'],
    ["database_query", 'outcome="ok"'],
  ] as const)
    await expect
      .poll(async () => count(await read(), name, labels), {
        message: labels,
        timeout: limit(10_000),
      })
      .toBeGreaterThan(count(before, name, labels));
});

test("each metric has the name and labels of docs/operations.md", async () => {
  const { registry } = stack;
  const own = (await registry.getMetricsAsJSON()).filter(
    ({ name }) => !/^second_step_(process|nodejs)_/.test(name),
  );
  const labels = (name: string) =>
    (registry.getSingleMetric(name) as unknown as { labelNames: string[] }).labelNames;
  expect(own.map(({ name }) => `${name} ${labels(name).toSorted()}`).toSorted()).toEqual(
    documentedMetrics(["gateway", "both"]).map(
      ({ name, labels }) => `${name} ${labels.toSorted()}`,
    ),
  );
});

test("the pool, the queue of passwords and Redis say how full they are", async () => {
  const person = await stack.createUser();
  const read = await stack.metrics();
  expect(readingOf(read, "second_step_database_pool_size")).toBe(10);
  expect(readingOf(read, "second_step_database_pool_used")).toBeGreaterThanOrEqual(0);
  const used = readingOf(read, 'second_step_redis_memory_used_bytes{node="redis"}') ?? 0;
  expect(used).toBeGreaterThan(100_000);
  expect(readingOf(read, 'second_step_redis_memory_max_bytes{node="redis"}')).toBeGreaterThan(used);

  // All cores but one work; seven logins wait.
  const count = Math.max(1, availableParallelism() - 1) + 7;
  const logins = Array.from({ length: count }, () => stack.api.logIn(person));
  const waiting = async () => readingOf(await stack.metrics(), "second_step_passwords_waiting");
  expect(await until(waiting, (count) => (count ?? 0) > 0)).toBeGreaterThan(0);
  await Promise.all(logins);
  expect(await until(waiting, (count) => count === 0)).toBe(0);
  const after = await stack.metrics();
  const gained = (name: string) => (readingOf(after, name) ?? 0) - (readingOf(read, name) ?? 0);
  expect(gained("second_step_password_wait_seconds_count")).toBe(count);
  expect(gained("second_step_password_wait_seconds_sum")).toBeGreaterThan(0);
});

test("events that wait for a worker are counted; a worker that is back takes them", async () => {
  const waiting = async () => readingOf(await read(), "second_step_events_waiting");
  await until(waiting, (count) => count === 0);
  await stack.stopWorker();
  try {
    await logInByPassword(stack, await stack.createUser());
    expect(await until(waiting, (count) => count !== 0)).toBe(1);
    await stack.advance(90_000);
    const oldest = async () => readingOf(await read(), "second_step_oldest_event_waiting_seconds");
    expect(await until(oldest, (seconds) => (seconds ?? 0) >= 90)).toBe(90);
  } finally {
    await stack.restartWorker();
  }
  await until(waiting, (count) => count === 0);
});

test("the age of the oldest event that is in no chain is measured", async () => {
  const oldest = async () => readingOf(await read(), "second_step_oldest_unchained_event_seconds");
  // Nothing chains events in this test but the test itself.
  const chainAll = async () => {
    while ((await chainEvents(stack.deps.db, 1000)) > 0);
  };
  await chainAll();
  await until(oldest, (seconds) => seconds === 0);
  await logInByPassword(stack, await stack.createUser());
  await stack.advance(90_000);
  expect(await until(oldest, (seconds) => (seconds ?? 0) >= 90)).toBe(90);
  await chainAll();
  await until(oldest, (seconds) => seconds === 0);
});

test("when and why everybody had to log in again is measured, once that has happened", async () => {
  const name = "second_step_redis_generation_begun_timestamp_seconds";
  expect(await read()).not.toContain(`${name}{`);
  const before = Date.now() / 1000;
  await endEverySession(stack.deps);
  const begun = async () => readingOf(await read(), `${name}{cause="by_hand"}`);
  const seconds = await until(begun, (seconds) => seconds !== undefined);
  // By PostgreSQL's clock.
  expect(seconds).toBeGreaterThan(before - 60);
  expect(seconds).toBeLessThan(before + 60);
});

describe("a deployed gateway", { timeout: limit(60_000) }, () => {
  test("serves /metrics at an address of its own, and under no spelling where users reach it", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const gateway = await startGateway(stack, { METRICS_ADDRESS: address });
    try {
      await fetch(`${gateway.url}/healthz`);
      const read = await fetch(`http://${address}/metrics`);
      expect(read.headers.get("content-type")).toContain("text/plain");
      expect(await read.text()).toContain('route="/healthz",status="200"} ');
      for (const path of ["/metrics", "/v1/../metrics", "/%6detrics"]) {
        const answer = await fetch(gateway.url + path);
        expect([answer.status, await answer.text()], path).toEqual([
          404,
          expect.not.stringContaining("second_step_"),
        ]);
      }
      for (const [method, path] of [
        ["GET", "/"],
        ["GET", "/v1/login"],
        ["POST", "/metrics"],
      ])
        expect((await fetch(`http://${address}${path}`, { method })).status, path).toBe(404);
    } finally {
      await gateway.stop();
    }
  });

  test("without METRICS_ADDRESS serves no metrics", async () => {
    const gateway = await startGateway(stack);
    try {
      expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404);
    } finally {
      await gateway.stop();
    }
  });
});
