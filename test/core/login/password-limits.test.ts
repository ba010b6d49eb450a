import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import type { listAudit } from "../../../core/audit.ts";
import { newId } from "../../../store/ids.ts";
import { verifyPassword } from "../../../store/passwords.ts";
import { lockUser } from "../../../store/postgres/users.ts";
import { DAY_MS, MINUTE_MS } from "../../../units.ts";
import { createClient } from "../../support/client.ts";
import type { Person } from "../../support/people.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../../support/scenarios.ts";
import { checkedClient } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

/** A gateway with other settings over the same stores. */
function gateway(settings: { TRUSTED_PROXIES?: number; LOCK_MINUTES?: number }) {
  const app = createApp({ ...stack.deps, config: { ...stack.deps.config, ...settings } });
  return checkedClient(app, stack.document, stack.logged);
}

type Login = { username: string; password: string };

/** Logs in from an address that a trusted proxy reports. */
const from = (address: string) => {
  const { logIn } = gateway({ TRUSTED_PROXIES: 1 });
  return (login: Login) => logIn(login, { headers: { "x-forwarded-for": address } });
};

/** A botnet: sends `times` wrong passwords for the name, ten from each address. */
async function guess(username: string, times: number, net: string) {
  const answers = [];
  for (let n = 0; n < times; n++)
    answers.push(await from(`${net}.${Math.floor(n / 10)}`)({ username, password: `guess ${n}` }));
  return answers.map(({ status }) => status);
}

describe("attack: guessing one password from many addresses", () => {
  test("a hundred are checked a day; the user can still log in from an address of the last 30 days", async () => {
    const user = await stack.createUser();
    expect((await from("192.0.2.1")(user)).status).toBe(200);
    await stack.advance(29 * DAY_MS);
    expect(await guess(user.username, 100, "198.51.100")).toEqual(Array(100).fill(401));

    const stranger = await from("203.0.113.1")(user);
    expectProblem(stranger, "login_throttled");
    expect(Number(stranger.headers.get("retry-after"))).toBeGreaterThan(3600);
    expect((await from("192.0.2.1")(user)).status).toBe(200);
    expectProblem(await from("192.0.2.1")({ ...user, password: "x" }), "invalid_credentials");

    await stack.advance(DAY_MS);
    expect((await from("203.0.113.1")(user)).status).toBe(200);
    await stack.advance(31 * DAY_MS);
    await guess(user.username, 100, "198.51.101");
    expectProblem(await from("192.0.2.1")(user), "login_throttled");
  });

  test("a client without an address from the proxy always counts as a stranger", async () => {
    const user = await stack.createUser();
    expect((await from("unknown")(user)).status).toBe(200);
    expect(await guess(user.username, 100, "198.51.104")).toEqual(Array(100).fill(401));
    expectProblem(await from("unknown")(user), "login_throttled");
  });

  test("a known address has no more guesses than any other", async () => {
    const user = await stack.createUser();
    const logIn = from("192.0.2.2");
    await logIn(user);
    for (let n = 0; n < 10; n++)
      expectProblem(await logIn({ ...user, password: "x" }), "invalid_credentials");
    expectProblem(await logIn(user), "login_throttled");
  });

  test("the same holds for a name that nobody has", async () => {
    const statuses = await guess(`nobody-${newId()}`, 101, "198.51.102");
    expect(statuses).toEqual([...Array(100).fill(401), 429]);
  });

  test("guessing at one user locks nobody, and keeps nobody from logging in as another user", async () => {
    const user = await stack.createUser();
    await guess(user.username, 100, "198.51.103");
    await stack.advance(DAY_MS);
    expect((await from("203.0.113.2")(user)).status).toBe(200);
    expect((await from("203.0.113.2")(await stack.createUser())).status).toBe(200);
  });
});

describe("a lock", () => {
  async function locked(): Promise<{ user: Person; e164: string }> {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    for (let n = 1; n <= 7; n++) await stack.api.verifyPasscode(id, wrongCode(passcode, n));
    // This login writes the lock to the database at the latest.
    expectProblem(await stack.api.logIn(user), "account_locked");
    return { user, e164 };
  }

  test("stays for ever if no time is set", async () => {
    const { user } = await locked();
    await stack.advance(400 * DAY_MS);
    expectProblem(await stack.api.logIn(user), "account_locked");
  });

  test("is durable: it survives the loss of all data in Redis", async () => {
    const { user } = await locked();
    expectProblem(await stack.api.logIn(user), "account_locked");
    await stack.deps.redis.flushDb();
    expectProblem(await stack.api.logIn(user), "account_locked");
  });

  test("with a time is ended only by a login with the right password after that time", async () => {
    const { logIn } = gateway({ LOCK_MINUTES: 30 });
    const { user, e164 } = await locked();
    expectProblem(await logIn(user), "account_locked");
    await stack.advance(29 * MINUTE_MS);
    expectProblem(await logIn(user), "account_locked");
    await stack.advance(MINUTE_MS);
    expectProblem(await logIn({ ...user, password: "x" }), "invalid_credentials");
    expectProblem(await stack.api.logIn(user), "account_locked");

    const logins = await Promise.all(Array.from({ length: 5 }, () => logIn(user)));
    for (const { body } of logins) {
      if (body.status !== "challenge") throw new Error(`It answered ${body.status}`);
      expect((await challengeSent(stack, body.challenge.id)).attemptsRemaining).toBe(7);
    }
    await stack.passcodeTo(e164);
    const { token } = await logInBySms(stack, user, e164);
    type Page = Awaited<ReturnType<typeof listAudit>>;
    const path = "/v1/me/activity?type=account_unlocked";
    const { events } = (await stack.api.call<Page>("GET", path, { token })).body;
    expect(events).toMatchObject([{ actorId: null, userId: user.id, detail: { minutes: 30 } }]);
  });

  test("that comes again counts its time from the start", async () => {
    const { logIn } = gateway({ LOCK_MINUTES: 30 });
    const { user, e164 } = await locked();
    await stack.advance(30 * MINUTE_MS);
    const login = (await logIn(user)).body;
    if (login.status !== "challenge") throw new Error(`It answered ${login.status}`);
    const passcode = await stack.passcodeTo(e164);
    for (let n = 1; n <= 7; n++)
      await stack.api.verifyPasscode(login.challenge.id, wrongCode(passcode, n));
    expectProblem(await logIn(user), "account_locked");
    await stack.advance(30 * MINUTE_MS);
    expect((await logIn(user)).body.status).toBe("challenge");
  });

  test("belongs to the user, so it is shown without any challenge", async () => {
    const user = await stack.createUser();
    const event = {
      key: newId(),
      at: new Date(stack.clock.now()),
      type: "account_locked",
    } as const;
    await lockUser(
      stack.deps.db,
      { userId: user.id, at: event.at },
      { ...event, accountId: user.accountId, userId: user.id },
    );
    expectProblem(await stack.api.logIn(user), "account_locked");
  });
});

test("more logins at once than can be checked in time are told at once to try again", async () => {
  const user = await stack.createUser();
  const app = createApp(stack.deps);
  // A client without retries.
  const { logIn } = createClient((path, init) => Promise.resolve(app.request(path, init)));
  let crowded = true;
  const again = async () => {
    while (crowded) await verifyPassword(undefined, "x").catch(() => sleep(1));
  };
  const crowd = Promise.all(Array.from({ length: 2 * (64 + availableParallelism()) }, again));
  const refused = await until(
    () => logIn(user),
    ({ status }) => status !== 200,
  );
  crowded = false;
  await crowd;
  expect(expectProblem(refused, "service_unavailable").detail).toContain("The service is busy");
  expect(refused.headers.get("retry-after")).toBe("1");
  expect((await stack.api.logIn(user)).status).toBe(200);
});
