// The service stores answers so that a client can repeat a request. I repeat other users' requests:
// in a browser that they left, with their Idempotency-Key, with another challenge or another
// password.
import { describe, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { userWithApp } from "../support/apps.ts";
import { portalLogin } from "../support/portal-login.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone, logInByPassword, startChallenge, wrongCode } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const WINDOW_MS = 15 * 60_000;
const SITE = "https://mfa.example";

const stack = useStack();

/** Sends a portal form, as a browser with this session does. */
function send(path: string, token: string | undefined, fields: Record<string, string>) {
  return stack.app.request(`${SITE}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      ...(token && { cookie: `__Host-session=${token}` }),
    },
    body: new URLSearchParams(fields).toString(),
  });
}

/** Sends a login's first step. Returns the status that `/v1` has for its answer. */
type FirstStep = (login: { username: string; password: string }, key: string) => Promise<number>;

const post = async (path: string, body: object, headers: Record<string, string>) =>
  stack.app.request(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const FACES: Record<string, FirstStep> = {
  "/v1/login": async (login, key) =>
    (await post("/v1/login", login, { "idempotency-key": key })).status,
  "/v2.0/tokens": async (passwordCredentials, key) => {
    const body = { auth: { passwordCredentials } };
    const { status } = await post("/v2.0/tokens", body, { "idempotency-key": key });
    return status === 413 ? 429 : status;
  },
  "the portal's form": ({ username, password }, once) =>
    portalLogin(stack.app, { username, password, once }),
};

/** The Redis keys of all stored answers. */
const kept = async () => (await stack.deps.redis.keys("*:idempotency")).sort();

describe("attack: a form is sent again in a browser that its user has left", () => {
  const invalid = (once: string) => ({ once, email: "not an address" });

  /** The answer: its status, its redirect, and the sealed message that the next page shows once. */
  const answered = async (token: string, once: string) => {
    const { status, headers } = await send("/devices/email", token, invalid(once));
    return { status, location: headers.get("location"), words: headers.getSetCookie().join() };
  };

  test("after the logout it leads to the login, and shows nothing of the old answer", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const once = newId();
    const first = await answered(token, once);
    expect(first).toMatchObject({ status: 303, words: expect.stringContaining("flash=") });
    // While the session lives, the repeat gets the same answer: a new seal would be a different
    // text.
    expect(await answered(token, once)).toEqual(first);

    await send("/logout", token, {});
    const again = await answered(token, once);
    expect([again.status, again.location]).toEqual([303, expect.stringMatching(/^\/login\b/)]);
    expect(again.words).not.toContain(first.words);
  });

  test("after an idle hour too; in another session of the user it is another request", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const once = newId();
    const first = await answered(token, once);
    const other = await logInByPassword(stack, user);
    expect((await answered(other.token, once)).words).not.toBe(first.words);
    await stack.advance(60 * 60_000);
    expect((await answered(token, once)).location).toMatch(/^\/login\b/);
  });
});

describe.each(Object.entries(FACES))("attack at %s: guessing under a known key", (_, firstStep) => {
  test("sixty wrong passwords cost as much as without a key: ten are checked", async () => {
    const user = await stack.createUser();
    const key = newId();
    const statuses = [];
    for (let n = 0; n < 60; n++)
      statuses.push(await firstStep({ ...user, password: `guess ${n}` }, key));
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(50).fill(429)]);
    await stack.advance(WINDOW_MS);
  });

  test("the same wrong password costs a guess each time: nothing of a failed login is kept", async () => {
    const user = await stack.createUser();
    const key = newId();
    const before = await kept();
    for (let n = 0; n < 10; n++)
      expect(await firstStep({ ...user, password: "guess" }, key)).toBe(401);
    expect(await kept()).toEqual(before);
    expect(await firstStep({ ...user, password: "guess" }, key)).toBe(429);
    await stack.advance(WINDOW_MS);
  });

  test("the Idempotency-Key of a successful login does not reveal the right password once guesses are spent", async () => {
    const user = await stack.createUser();
    const key = newId();
    await firstStep(user, key);
    for (let n = 0; n < 10; n++) await firstStep({ ...user, password: `guess ${n}` }, key);
    expect(await firstStep({ ...user, password: "wrong" }, key)).toBe(429);
    expect(await firstStep(user, key)).toBe(429);
    await stack.advance(WINDOW_MS);
  });
});

describe("attack: guessing at a challenge under a known key", () => {
  test("seven wrong passcodes lock", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    const headers = { "idempotency-key": newId() };
    for (let n = 1; n <= 6; n++) {
      const answer = await stack.api.verifyPasscode(id, wrongCode(passcode, n), { headers });
      expect(expectProblem(answer, "passcode_rejected").attemptsRemaining).toBe(7 - n);
    }
    const seventh = await stack.api.verifyPasscode(id, wrongCode(passcode, 7), { headers });
    expectProblem(seventh, "account_locked");
  });

  test("the right passcode gets the same answer while the challenge lasts, and not after", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    const verify = () =>
      stack.api.verifyPasscode(id, passcode, { headers: { "idempotency-key": "lasts" } });
    const { token } = (await verify()).body.session;
    expect((await verify()).body.session.token).toBe(token);
    await stack.advance(10 * 60_000);
    expectProblem(await verify(), "illegal_transition");
  });

  test("a known challenge's id in a header does not make a stranger its user: nothing is kept", async () => {
    const owner = await stack.createUser();
    await enrollPhone(stack, owner);
    const { id } = await startChallenge(stack, owner);
    const before = await kept();
    const login = { ...(await stack.createUser()), password: "guess" };
    for (let n = 0; n < 3; n++) {
      const headers = { "idempotency-key": newId(), "x-sessionid": id };
      expect((await post("/v1/login", login, headers)).status).toBe(401);
    }
    expect(await kept()).toEqual(before);
  });

  test("another challenge's session id makes it another request: nobody gets another user's token", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    const eve = await userWithApp(stack);
    const eves = await startChallenge(stack, eve.user);

    const body = { auth: { "RAX-AUTH:passcodeCredentials": { passcode } } };
    const key = newId();
    const answer = (sessionId?: string) =>
      post("/v2.0/tokens", body, {
        "idempotency-key": key,
        ...(sessionId && { "x-sessionid": sessionId }),
      });
    const theirs = await answer(id);
    const text = await theirs.text();
    expect(theirs.status).toBe(200);
    expect(await (await answer(id)).text()).toBe(text);
    for (const [other, status] of [
      [eves.id, 401],
      [undefined, 400],
    ] as const) {
      const refused = await answer(other);
      expect(refused.status).toBe(status);
      expect(await refused.text()).not.toContain(JSON.parse(text).access.token.id);
    }
  });
});
