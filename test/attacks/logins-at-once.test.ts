// A class logs in when the bell rings; a browser restores sixteen tabs; my script sends many
// guesses. Right passwords must not be refused because others are being checked. Hundreds of wrong
// passwords at once must not get more checks than one after the other.
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { hashCode } from "../../store/codes.ts";
import { spend } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import { createClient, patient } from "../support/client.ts";
import { portalLogin } from "../support/portal-login.ts";
import { expectProblem } from "../support/problems.ts";
import { useStack } from "../support/used.ts";

type Login = { username: string; password: string };

const stack = useStack();

/**
 * A gateway behind one trusted proxy, which reports the clients' addresses. Retries a 503 of a busy
 * machine, because that request was not checked.
 */
const gateway = {} as { request: ReturnType<typeof patient> };
beforeAll(() => {
  const app = createApp({ ...stack.deps, config: { ...stack.deps.config, TRUSTED_PROXIES: 1 } });
  gateway.request = patient((path, init) => app.request(path, init));
});

const post = async (path: string, from: string, body: object) => {
  const answer = await gateway.request(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": from },
    body: JSON.stringify(body),
  });
  return answer.status;
};

/** A login at each API and at the portal, from an address. Answers the status. */
const FACES: Record<string, (login: Login, from: string) => Promise<number>> = {
  "/v1/login": ({ username, password }, from) => post("/v1/login", from, { username, password }),
  "/v2.0/tokens": ({ username, password }, from) =>
    post("/v2.0/tokens", from, { auth: { passwordCredentials: { username, password } } }),
  "the portal's form": ({ username, password }, from) =>
    portalLogin(gateway, { username, password }, { "x-forwarded-for": from }),
};
/** The statuses: a session, a wrong password, too many guesses. */
const OPENED = [200, 303];
const WRONG = 401;
const THROTTLED = [429, 413];

const times = <T>(count: number, of: (n: number) => T) =>
  Array.from({ length: count }, (_, n) => of(n));

beforeEach(() => stack.advance(15 * 60_000));

describe.each(Object.entries(FACES))("at %s", (name, logIn) => {
  const address = (n: number) => `198.51.100.${n + 10 * Object.keys(FACES).indexOf(name)}`;

  test("sixteen right logins of one user at once all succeed", async () => {
    const user = await stack.createUser();
    const answers = await Promise.all(times(16, () => logIn(user, address(1))));
    expect(answers.filter((status) => OPENED.includes(status))).toHaveLength(16);
  });

  test("sixty users of one address can all log in at once", async () => {
    const users = await Promise.all(times(60, () => stack.createUser()));
    const answers = await Promise.all(users.map((user) => logIn(user, address(2))));
    expect(answers.filter((status) => OPENED.includes(status))).toHaveLength(60);
  });

  test("attack: of three hundred wrong passwords at once ten are checked; then even the right one is not", async () => {
    const user = await stack.createUser();
    const guess = (n: number) => logIn({ ...user, password: `guess ${n}` }, address(3));
    const answers = await Promise.all(times(300, guess));
    expect(answers.filter((status) => status === WRONG)).toHaveLength(10);
    const refused = answers.filter((status) => status !== WRONG);
    for (const status of refused) expect(THROTTLED).toContain(status);
    expect(THROTTLED).toContain(await logIn(user, address(3)));
    await stack.advance(14 * 60_000);
    expect(THROTTLED).toContain(await logIn(user, address(3)));
  });
});

test("attack: right passwords among wrong ones make no room for more guesses", async () => {
  const user = await stack.createUser();
  const logIn = (password: string) => stack.api.logIn({ ...user, password });
  const answers = await Promise.all(
    times(120, (n) => logIn(n % 3 === 0 ? user.password : `guess ${n}`)),
  );
  expect(answers.filter(({ status }) => status === WRONG)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  for (const answer of answers.filter(({ status }) => ![200, WRONG].includes(status)))
    expectProblem(answer, "login_throttled");
});

describe("logins that are not checked in time", () => {
  /** A user whose ten places are taken, as if a gateway died while it checked ten passwords. */
  async function tenUnderWay() {
    const user = await stack.createUser();
    const { redis, clock, config } = stack.deps;
    const { perUser: limit, windowMs } = config.limits.password;
    const key = keys.usernamePasswords(
      hashCode(config.CODE_KEY, "password", "unknown", user.username),
    );
    for (let n = 0; n < limit; n++)
      await spend(redis, key, [{ limit, windowMs }], clock.now(), { confirmedWithinMs: 15_000 });
    // A client without retries.
    const app = createApp(stack.deps);
    return { user, api: createClient(async (path, init) => app.request(path, init)) };
  }

  test("are told, after a wait, that logins are under way and when to try again", async () => {
    const { user, api } = await tenUnderWay();
    const refused = await api.logIn(user);
    const { detail } = expectProblem(refused, "logins_under_way");
    expect(detail).toBe("Several logins are under way. Wait, then try again.");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  });

  test("count as spent fifteen seconds after their gateway died", async () => {
    const { user, api } = await tenUnderWay();
    await stack.advance(15_000);
    expectProblem(await api.logIn(user), "login_throttled");
    await stack.advance(15 * 60_000);
    expect((await api.logIn(user)).status).toBe(200);
  });
});
