import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import { verifyDevice } from "../../../store/postgres/devices.ts";
import { getUser } from "../../../store/postgres/users.ts";
import { codeAt, registerApp } from "../../support/apps.ts";
import type { Answer } from "../../support/client.ts";
import { limit } from "../../support/limits.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  startChallenge,
  unverifiedPhone,
  wrongCode,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../../support/used.ts";

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);
afterEach(mendAll);

const DEPENDENCIES = ["postgresql", "redis", "temporal"] as const;
const INTERVAL_MS = 30_000;

async function mendAll() {
  for (const dependency of DEPENDENCIES) await gateway.links[dependency].mend();
  await until(ready, ({ status }) => status === 200);
}

async function ready() {
  const response = await gateway.app.request("/health/dependencies");
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const expectAway = (answer: Answer<unknown>) => expectProblem(answer, "service_unavailable");

async function challenged() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  return { user, e164, id, passcode };
}

async function registered() {
  const user = await stack.createUser();
  return { user, ...(await unverifiedPhone(stack, user)) };
}

// Without PostgreSQL a wrong passcode is still counted, so nothing differs from other days.
test.each(["redis", "temporal"] as const)(
  "without %s the seventh wrong passcode does not lock during the outage; the next one after it does",
  async (dependency) => {
    const { user, id, passcode } = await challenged();
    for (let guess = 1; guess <= 6; guess++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
    await gateway.links[dependency].cut();
    expectAway(await gateway.api.verifyPasscode(id, wrongCode(passcode, 7)));
    await mendAll();
    expect((await gateway.api.challenge(id)).body.attemptsRemaining).toBe(1);
    expectProblem(await gateway.api.verifyPasscode(id, wrongCode(passcode, 8)), "account_locked");
    expectProblem(await gateway.api.logIn(user), "account_locked");
  },
);

describe.each(DEPENDENCIES)("without %s", (dependency) => {
  test.each(["cut", "silence"] as const)(
    "(%s) /health/dependencies and the metrics name it; the gateway stays alive and ready",
    async (way) => {
      await gateway.links[dependency][way]();
      const { status, headers, body } = await until(ready, ({ status }) => status === 503);
      expect({ status, body }).toEqual({
        status: 503,
        body: { status: "unavailable", away: [dependency] },
      });
      expect(headers.get("retry-after")).toBe("2");
      // Faster than any store's own timeout (5 s), because probes give up before that.
      const begun = performance.now();
      await ready();
      expect(performance.now() - begun).toBeLessThan(3_500);
      const read = performance.now();
      const first = await gateway.metrics();
      // Prometheus gives up after 10 s by default, and then has nothing at all.
      expect(performance.now() - read).toBeLessThan(limit(3_500));
      expect(first).toMatch(/^second_step_database_pool_size \d+$/m);
      const down = `second_step_dependency_up{dependency="${dependency}"} 0`;
      expect(await until(gateway.metrics, (text) => text.includes(down))).toContain(down);
      for (const path of ["/healthz", "/readyz"])
        expect((await gateway.app.request(path)).status, path).toBe(200);
    },
  );

  test("callers get an error in time when it is silent", async () => {
    const { user, id, passcode } = await challenged();
    const { token } = await logInByPassword(stack, await stack.createUser());
    await gateway.links[dependency].silence();
    const begun = performance.now();
    const answers = await Promise.all([
      ...Array.from({ length: 9 }, () => gateway.api.logIn(user)),
      gateway.api.registerPhone(token, newPhone()),
      gateway.api.verifyPasscode(id, passcode),
    ]);
    // The promise is two seconds; a store's own timeout is five.
    expect(performance.now() - begun).toBeLessThan(4_500);
    for (const answer of answers) {
      expectAway(answer);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  });

  test.each(["cut", "silence"] as const)(
    "(%s) the log says why, and names no user",
    async (way) => {
      const { user } = await challenged();
      await gateway.links[dependency][way]();
      const before = stack.logged().length;
      expectAway(await gateway.api.logIn(user));
      const lines = stack.logged().slice(before);
      const warnings = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
      const msg = dependency === "temporal" ? "temporal is away" : "a store is away";
      expect(warnings).toContainEqual(
        expect.objectContaining({
          msg,
          err: expect.objectContaining({ message: expect.any(String) }),
        }),
      );
      expect(lines.join()).not.toContain(user.username);
    },
  );

  test("a login is refused until it is back, without a restart", async () => {
    const { user } = await challenged();
    await gateway.links[dependency].cut();
    const refused = expectAway(await gateway.api.logIn(user));
    expect(JSON.stringify(refused)).not.toContain(user.username);
    await mendAll();
    expect((await gateway.api.logIn(user)).body.status).toBe("challenge");
  });

  test.each(["cut", "silence"] as const)(
    "(%s) a right and a wrong passcode get the same refusal, and cost nothing",
    async (way) => {
      const { id, passcode } = await challenged();
      await gateway.links[dependency][way]();
      const wrong = await gateway.api.verifyPasscode(id, wrongCode(passcode));
      expectAway(wrong);
      const right = await gateway.api.verifyPasscode(id, passcode);
      expectAway(right);
      expect(right.text).toBe(wrong.text);
      await mendAll();
      const { attemptsRemaining, state } = (await gateway.api.challenge(id)).body;
      expect({ attemptsRemaining, state }).toEqual({
        attemptsRemaining: 7,
        state: "awaiting_passcode",
      });
      expect((await gateway.api.verifyPasscode(id, passcode)).body.session.amr).toContain("mfa");
    },
  );

  test("a right passcode that could not open a session opens one when it is back", async () => {
    const { id, passcode } = await challenged();
    await gateway.links[dependency].cut();
    expectAway(await gateway.api.verifyPasscode(id, passcode));
    await mendAll();
    expect((await gateway.api.verifyPasscode(id, passcode)).status).toBe(200);
    expectProblem(await gateway.api.verifyPasscode(id, passcode), "illegal_transition");
  });

  test("no PIN try is spent", async () => {
    const { token, id, pin } = await registered();
    await gateway.links[dependency].cut();
    for (let guess = 1; guess <= 6; guess++)
      expectAway(await gateway.api.verifyDevice(token, id, wrongCode(pin, guess)));
    await mendAll();
    const wrong = await gateway.api.verifyDevice(token, id, wrongCode(pin));
    expect(expectProblem(wrong, "pin_rejected").triesRemaining).toBe(4);
    expect((await gateway.api.verifyDevice(token, id, pin)).body.device.verified).toBe(true);
  });

  test("no message is spent", async () => {
    const { token, id, e164 } = await registered();
    await stack.advance(INTERVAL_MS);
    await gateway.links[dependency].cut();
    expectAway(await gateway.api.resendPin(token, id));
    await mendAll();
    expect((await gateway.api.resendPin(token, id)).status).toBe(202);
    await stack.pinTo(e164);

    const challenge = await challenged();
    await stack.advance(INTERVAL_MS);
    await gateway.links[dependency].cut();
    expectAway(await gateway.api.resendPasscode(challenge.id));
    await mendAll();
    expect((await gateway.api.resendPasscode(challenge.id)).status).toBe(202);
  });

  test("no phone is left behind", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const phone = newPhone();
    await gateway.links[dependency].cut();
    expectAway(await gateway.api.registerPhone(token, phone));
    await mendAll();
    expect((await gateway.api.multiFactor(token)).body.devices).toEqual([]);
    expect((await gateway.api.registerPhone(token, phone)).status).toBe(201);
    await stack.pinTo(phone.e164);
  });

  test("no session is accepted without a look-up", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    await gateway.links[dependency].cut();
    const sessions = await gateway.api.sessions(token);
    if (dependency === "redis") expectAway(sessions);
    else expect(sessions.status).toBe(200);
    await mendAll();
    expect((await gateway.api.sessions(token)).status).toBe(200);
  });
});

test("a device is reported as verified only once its sessions have ended", async () => {
  const { user, token, id, pin } = await registered();
  // As if a worker died halfway: the device is verified, but the sessions have not ended yet.
  const type = "device_verified" as const;
  const fact = { key: `test/${id}`, type, accountId: user.accountId, at: new Date() };
  const proof = { userId: user.id, deviceId: id, makeDefault: true, at: new Date() };
  await verifyDevice(stack.deps.db, proof, fact);
  expectAway(await gateway.api.verifyDevice(token, id, pin));
  await stack.deps.flows.moveEnrollment({ id, type: "sms" }, "acceptPin", {
    ...{ makeDefault: true, origin: {} },
  });
  const over = expectProblem(await gateway.api.verifyDevice(token, id, pin), "session_revoked");
  expect(over.reason).toBe("device_verified");
});

test("an app whose verification cannot be written yet is not reported as gone", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  const client = new pg.Client({ connectionString: stack.deps.config.DATABASE_URL });
  await client.connect();
  await client.query("begin; lock table events in access exclusive mode");
  const code = codeAt(secret, stack.clock.now());
  expectAway(await gateway.api.verifyDevice(token, device.id, code));
  expectAway(await gateway.api.verifyDevice(token, device.id, wrongCode(code)));
  await client.query("rollback");
  await client.end();
  const over = await until(
    () => stack.api.session(token),
    ({ status }) => status === 401,
  );
  expect(over.problem.reason).toBe("device_verified");
});

test("a login that PostgreSQL cannot record opens no session", async () => {
  const user = await stack.createUser();
  const client = new pg.Client({ connectionString: stack.deps.config.DATABASE_URL });
  await client.connect();
  await client.query("begin; lock table events in access exclusive mode");
  expectAway(await gateway.api.logIn(user));
  await client.query("rollback");
  await client.end();
  const { token } = await logInByPassword(stack, user);
  expect((await stack.api.sessions(token)).body.sessions).toHaveLength(1);
});

test("a lock with a lost answer still keeps the user's other challenges from becoming sessions", async () => {
  const { user, e164, id, passcode } = await challenged();
  for (let guess = 1; guess <= 6; guess++)
    await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
  const other = await startChallenge(stack, user);
  const second = await stack.passcodeTo(e164);
  await challengeSent(stack, other.id);
  // As if Temporal took the seventh wrong passcode but answered too late, so the gateway refunds
  // it.
  const origin = { ip: "192.0.2.7", userAgent: "test" };
  await stack.deps.flows.moveChallenge(id, "lockAccount", { origin });
  await until(
    async () => (await getUser(stack.deps.db, user.id))?.lockedAt ?? null,
    (lockedAt) => lockedAt !== null,
  );
  await until(
    async () => (await stack.api.challenge(other.id)).body.attemptsRemaining,
    (remaining) => remaining === 0,
  );
  expectProblem(await stack.api.verifyPasscode(other.id, second), "account_locked");
});

test("without a worker nothing hangs, no attempt is spent, and a retry succeeds", async () => {
  const { id, passcode } = await challenged();
  await stack.stopWorker();
  expectAway(await gateway.api.verifyPasscode(id, wrongCode(passcode)));
  expectAway(await gateway.api.verifyPasscode(id, passcode));
  expectAway(await gateway.api.challenge(id));
  await stack.restartWorker();
  expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
});
