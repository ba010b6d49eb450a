import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  pinSent,
  startChallenge,
  wrongCode,
} from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const withKey = (key: string) => ({ headers: { "idempotency-key": key } });

describe("attack: an overheard request is sent again", () => {
  test("with another token the same key is a new request, and gets no foreign answer", async () => {
    const [ann, eve] = [await stack.createUser(), await stack.createUser()];
    const anns = await logInByPassword(stack, ann);
    const eves = await logInByPassword(stack, eve);
    const first = await stack.api.registerPhone(anns.token, newPhone(), withKey("same"));
    const second = await stack.api.registerPhone(eves.token, newPhone(), withKey("same"));
    expect(second.body.id).not.toBe(first.body.id);
    const { devices } = (await stack.api.multiFactor(eves.token)).body;
    expect(devices.map(({ id }) => id)).toEqual([second.body.id]);
  });

  test("with another password the same key is another login, which is refused", async () => {
    const user = await stack.createUser();
    await stack.api.logIn(user, withKey("login"));
    const guess = await stack.api.logIn({ ...user, password: "guess" }, withKey("login"));
    expectProblem(guess, "invalid_credentials");
  });

  const keptByRedis = async () => {
    const { redis } = stack.deps;
    const keys = await redis.keys("*:idempotency");
    expect(keys.length).toBeGreaterThan(0);
    return JSON.stringify(await Promise.all(keys.map((key) => redis.hGetAll(key))));
  };

  test("the answer stored in Redis shows no token", async () => {
    const user = await stack.createUser();
    const { body } = await stack.api.logIn(user, withKey("sealed"));
    if (body.status !== "authenticated") throw new Error("There should be a session");
    const [, secret = ""] = body.session.token.split(".");
    expect(await keptByRedis()).not.toContain(secret);
  });

  test("the request stored in Redis does not help to guess passwords or codes", async () => {
    const { username, password } = await stack.createUser();
    const body = JSON.stringify({ username, password });
    await stack.api.call("POST", "/v1/login", { ...withKey("keyed"), body });
    const plain = createHash("sha256").update(body).digest("hex");
    expect(await keptByRedis()).not.toContain(plain);
  });
});

describe("a repeated request", () => {
  test("gets the same answer and does nothing more", async () => {
    const user = await stack.createUser();
    const first = await stack.api.logIn(user, withKey("again"));
    const second = await stack.api.logIn(user, withKey("again"));
    expect(second.text).toBe(first.text);
    expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
    if (first.body.status !== "authenticated") throw new Error("There should be a session");
    const { token } = first.body.session;
    expect((await stack.api.sessions(token)).body.sessions).toHaveLength(1);

    const phone = newPhone();
    const device = await stack.api.registerPhone(token, phone, withKey("phone"));
    const same = await stack.api.registerPhone(token, phone, withKey("phone"));
    expect([same.status, same.text]).toEqual([device.status, device.text]);
  });

  test("of a refused request is refused the same way, and costs no second attempt", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const wrong = wrongCode(await stack.passcodeTo(e164));
    for (let time = 0; time < 3; time++) {
      const answer = await stack.api.verifyPasscode(id, wrong, withKey("wrong"));
      expect(expectProblem(answer, "passcode_rejected").attemptsRemaining).toBe(6);
    }
    expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(6);
  });

  test("of the right passcode returns the same session; without the key it is refused", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    const first = await stack.api.verifyPasscode(id, passcode, withKey("right"));
    const again = await stack.api.verifyPasscode(id, passcode, withKey("right"));
    expect(again.body.session.token).toBe(first.body.session.token);
    expectProblem(await stack.api.verifyPasscode(id, passcode), "illegal_transition");
  });

  test("with other content is refused", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    await stack.api.registerPhone(token, newPhone(), withKey("content"));
    const other = await stack.api.registerPhone(token, newPhone(), withKey("content"));
    expectProblem(other, "idempotency_key_reused");
  });

  test("to another address is a new request", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const device = (await stack.api.registerPhone(token, newPhone(), withKey("address"))).body;
    const wrong = await stack.api.verifyDevice(token, device.id, "123", withKey("address"));
    expectProblem(wrong, "invalid_request");
  });

  test("after a result that may differ next time is processed again", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const device = (await stack.api.registerPhone(token, newPhone())).body;
    await pinSent(stack, token, device.id);
    const resend = () =>
      stack.api.call("POST", `/v1/me/devices/${device.id}/pin`, { token, ...withKey("later") });
    expectProblem(await resend(), "send_limit");
    await stack.advance(30_000);
    expect((await resend()).status).toBe(202);
  });

  test("during the first one must wait: of twenty, one is processed", async () => {
    const user = await stack.createUser();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stack.api.logIn(user, withKey("burst"))),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(new Set(done.map(({ text }) => text)).size).toBe(1);
    const waiting = answers.filter(({ status }) => status !== 200);
    expect(waiting.length).toBeGreaterThan(0);
    for (const answer of waiting) {
      expectProblem(answer, "request_in_progress");
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    const { token } = await logInByPassword(stack, user);
    expect((await stack.api.sessions(token)).body.sessions).toHaveLength(2);
  });
});
