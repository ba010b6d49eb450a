import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { ClientOfflineError } from "redis";
import { afterEach, describe, expect, test } from "vitest";
import type { listAudit } from "../../../core/audit.ts";
import type { LoginResult } from "../../../core/login/start-login.ts";

import { newId } from "../../../store/ids.ts";
import { hashPassword } from "../../../store/passwords.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import { setPassword } from "../../../store/postgres/users.ts";
import { revokeUser } from "../../../store/redis/sessions/revocations.ts";
import { MINUTE_MS } from "../../../units.ts";
import { eventOf } from "../../store/postgres/database.ts";
import type { Answer } from "../../support/client.ts";
import { impatientClient } from "../../support/flow-attacks.ts";
import type { Person } from "../../support/people.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
} from "../../support/scenarios.ts";
import { gatewayOver, type Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../../support/used.ts";

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);
afterEach(async () => {
  for (const link of Object.values(gateway.links)) await link.mend();
});

const NEW = "quite another one";

type Change = { currentPassword: unknown; password: unknown };
const change = (token: string | undefined, body: Change, { api }: Pick<Stack, "api"> = stack) =>
  api.call<null>("PUT", "/v1/me/password", { token, body });

const tokenOf = async (user: Person) => (await logInByPassword(stack, user)).token;
const opens = async (user: Person, password: string) =>
  (await stack.api.logIn({ ...user, password })).status === 200;

async function eventsOf(token: string) {
  type Activity = Awaited<ReturnType<typeof listAudit>>;
  const answer = await stack.api.call<Activity>("GET", "/v1/me/activity", { token });
  return answer.body.events.map(({ type }) => type);
}

test("the new password logs in, the old one does not, and every session has ended", async () => {
  const user = await stack.createUser();
  const [token, other] = [await tokenOf(user), await tokenOf(user)];
  const answer = await change(token, { currentPassword: user.password, password: NEW });
  expect(answer.status).toBe(204);
  for (const ended of [token, other])
    expect(expectProblem(await stack.api.session(ended), "session_revoked").reason).toBe(
      "password_changed",
    );
  expectProblem(await stack.api.logIn(user), "invalid_credentials");
  const again = await tokenOf({ ...user, password: NEW });
  expect(await eventsOf(again)).toContain("password_changed");
});

test("an open login by the old password fails", async () => {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  await stack.advance(MINUTE_MS);
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  expect((await change(token, { currentPassword: user.password, password: NEW })).status).toBe(204);
  expectProblem(await stack.api.verifyPasscode(id, passcode), "challenge_expired");
});

test("a login fails if the password changes while it is checked", async () => {
  const user = await stack.createUser();
  const passwordHash = await hashPassword(NEW);
  // Passwords are checked in turn. Our login has read its user already and waits behind these.
  const others = Array.from({ length: 30 }, (_, n) =>
    stack.api.logIn({ username: `nobody-${n}`, password: "x" }),
  );
  const login = stack.api.logIn(user);
  await sleep(50);
  const { db, redis, clock } = stack.deps;
  await setPassword(db, { userId: user.id, passwordHash }, eventOf(user));
  const mark = { reason: "password_changed", now: clock.now(), fact: newId() };
  await revokeUser(redis, user.id, mark);
  const answer = await login;
  await Promise.all(others);
  if (answer.status !== 200) return expectProblem(answer, "invalid_credentials");
  // With many processors the login succeeds before the change, which then ends its session.
  if (answer.body.status !== "authenticated") throw new Error("There should be a session");
  return expectProblem(await stack.api.session(answer.body.session.token), "session_revoked");
});

test("of several changes at once one is made, and only its password logs in", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const wanted = Array.from({ length: 5 }, (_, n) => `${NEW} ${n}`);
  const answers = await Promise.all(
    wanted.map((password) => change(token, { currentPassword: user.password, password })),
  );
  const made = wanted.filter((_, n) => answers[n]?.status === 204);
  expect(made).toHaveLength(1);
  const opening = [];
  for (const password of [user.password, ...wanted])
    if (await opens(user, password)) opening.push(password);
  expect(opening).toEqual(made);
});

test.each([
  ["short", "short", "at least 8 characters"],
  ["one that many people chose", "password1", "too common"],
  ["one longer than is hashed", "x".repeat(257), "at most 256"],
  ["a value that is not text", 7, ""],
])("%s is refused at its field, and costs no guess", async (_, password, message) => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  for (let n = 0; n < 11; n++) {
    const answer = await change(token, { currentPassword: "a guess", password });
    const { errors } = expectProblem(answer, "invalid_request");
    expect(errors).toMatchObject([{ path: "password", message: expect.stringContaining(message) }]);
  }
  expect(await opens(user, user.password)).toBe(true);
});

describe("attack: a stolen session takes the login over", () => {
  test("it must know the password, with ten guesses in fifteen minutes, as at a login", async () => {
    const user = await stack.createUser();
    const token = await tokenOf(user);
    const guess = (currentPassword: string) => change(token, { currentPassword, password: NEW });
    for (let n = 0; n < 10; n++) {
      const { errors } = expectProblem(await guess(`guess ${n}`), "invalid_request");
      expect(errors).toMatchObject([{ path: "currentPassword" }]);
    }
    const refused = await guess(user.password);
    expectProblem(refused, "login_throttled");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await stack.api.session(token)).status).toBe(200);
    expect(await eventsOf(token)).toContain("password_change_failed");
    await stack.advance(15 * MINUTE_MS);
    expect(await opens(user, user.password)).toBe(true);
  });

  test("guesses here and at the login share one budget, also all at once", async () => {
    const user = await stack.createUser();
    const token = await tokenOf(user);
    const answers = await Promise.all([
      ...Array.from({ length: 15 }, (_, n) =>
        change(token, { currentPassword: `guess ${n}`, password: NEW }),
      ),
      ...Array.from({ length: 15 }, (_, n) =>
        stack.api.logIn({ ...user, password: `other guess ${n}` }),
      ),
    ]);
    expect(answers.filter(({ status }) => status !== 429)).toHaveLength(10);
  });

  test("a session older than fifteen minutes cannot do it", async () => {
    const user = await stack.createUser();
    const token = await tokenOf(user);
    await stack.advance(16 * MINUTE_MS);
    const answer = await change(token, { currentPassword: user.password, password: NEW });
    expectProblem(answer, "reauthentication_required");
    expect(await opens(user, user.password)).toBe(true);
  });

  test("without a session nothing changes", async () => {
    expectProblem(
      await change(undefined, { currentPassword: "x", password: NEW }),
      "unauthenticated",
    );
  });
});

test("if the sessions cannot be ended, the password stays unchanged", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const wanted = { currentPassword: user.password, password: NEW };
  const { db } = stack.deps;
  const cutOff = await holdingUser(db, user.id, async () => {
    const changing = change(token, wanted, gateway);
    const waiting = sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'`;
    await until(
      () => db.execute(waiting),
      ({ rows }) => rows.length > 0,
    );
    await gateway.links.redis.cut();
    return { changing };
  });
  expectProblem(await cutOff.changing, "service_unavailable");
  expect((await stack.api.session(token)).status).toBe(200);
  expect(await opens(user, user.password)).toBe(true);

  await gateway.links.redis.mend();
  const send = () => change(token, wanted, gateway);
  expect((await until(send, ({ status }) => status !== 503)).status).toBe(204);
  expect(await opens(user, NEW)).toBe(true);
});

test("if known addresses cannot be deleted, the password stays unchanged", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const { redis } = stack.deps;
  const away = new Proxy(redis, {
    get(target, key) {
      if (key === "forgetAddresses") throw new ClientOfflineError();
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const api = impatientClient(stack, { redis: away });
  const wanted = { currentPassword: user.password, password: NEW };
  expectProblem(await change(token, wanted, { api }), "service_unavailable");
  expect((await stack.api.session(token)).status).toBe(200);
  expect(await opens(user, user.password)).toBe(true);
});

test("a login by the old password after the sessions ended, but before the commit, opens nothing", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const { db } = stack.deps;
  const waiting = sql`
    select 1 from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()`;
  let login: Promise<Answer<LoginResult>> | undefined;
  // Just before the commit somebody logs in. That login must wait for the user's row.
  const slow = gatewayOver(stack, {
    db: new Proxy(db, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (key !== "transaction") return typeof value === "function" ? value.bind(target) : value;
        return (work: Parameters<typeof db.transaction>[0]) =>
          target.transaction(async (tx) => {
            const done = await work(tx);
            login = stack.api.logIn(user);
            await until(
              () => db.execute(waiting),
              ({ rows }) => rows.length > 0,
            );
            return done;
          });
      },
    }),
  });
  const wanted = { currentPassword: user.password, password: NEW };
  expect((await change(token, wanted, { api: slow })).status).toBe(204);
  const late = await login;
  if (!late) throw new Error("Nobody logged in");
  if (late.status !== 200) return void expectProblem(late, "invalid_credentials");
  if (late.body.status !== "authenticated") throw new Error("There should be a session");
  expectProblem(await stack.api.session(late.body.session.token), "session_revoked");
});
