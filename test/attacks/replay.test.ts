// I have codes, challenge ids and tokens that were already used: seen over a shoulder, in a proxy's
// log or on a lost phone. I send them again, at once and later, here and elsewhere.
import { describe, expect, test } from "vitest";
import type { ProblemCode } from "../../core/problem.ts";
import { MINUTE_MS } from "../../units.ts";
import { codeAt, logInByApp, registerApp, userWithApp, verifiedApp } from "../support/apps.ts";
import type { Answer } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const STEP_MS = 30_000;

const stack = useStack();

const post = <Body>(path: string, token: string, body?: object, key?: string) =>
  stack.api.call<Body>("POST", path, {
    token,
    body,
    headers: key === undefined ? {} : { "idempotency-key": key },
  });

const recoveryCodes = async (token: string, quantity: number) =>
  (await post<{ codes: string[] }>("/v1/me/recovery-codes", token, { quantity })).body.codes;

const now = (secret: string) => codeAt(secret, stack.clock.now());

const opened = (answers: Answer<unknown>[]) => answers.filter(({ status }) => status === 200);

/** Every request to a challenge, with a right code. */
function everyMove(id: string, code: string): Promise<Answer<unknown>>[] {
  return [
    stack.api.verifyPasscode(id, code),
    stack.api.resendPasscode(id),
    stack.api.chooseMethod(id, "sms"),
    stack.api.chooseMethod(id, "otp"),
  ];
}

async function expectOver(id: string, code: string, problem: ProblemCode) {
  for (const answer of await Promise.all(everyMove(id, code))) expectProblem(answer, problem);
}

describe("a right code at a challenge that is over", () => {
  async function withBoth() {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    await stack.advance(STEP_MS);
    return { user, secret, token };
  }
  test("by success: opens no second session, nor does a newer code or a recovery code", async () => {
    const { user, secret, token } = await withBoth();
    const [recovery = ""] = await recoveryCodes(token, 2);
    const { id } = await startChallenge(stack, user);
    await stack.api.verifyPasscode(id, now(secret));
    await expectOver(id, now(secret), "illegal_transition");
    await stack.advance(STEP_MS);
    await expectOver(id, now(secret), "illegal_transition");
    await expectOver(id, recovery, "illegal_transition");
    // The recovery code was not checked, so it is still valid.
    const next = await startChallenge(stack, user);
    expect((await stack.api.verifyPasscode(next.id, recovery)).status).toBe(200);
  });

  test("by time: is refused, also a code that is right now", async () => {
    const { user, secret } = await withBoth();
    const { id } = await startChallenge(stack, user);
    await stack.advance(10 * MINUTE_MS);
    expectProblem(await stack.api.verifyPasscode(id, now(secret)), "challenge_expired");
  });

  test("by withdrawal: is refused, because the devices are gone", async () => {
    const { user, secret, token } = await withBoth();
    const { id } = await startChallenge(stack, user);
    await stack.api.call("DELETE", "/v1/me/devices", { token });
    await expectOver(id, now(secret), "challenge_expired");
  });
});

describe("a code of an app", () => {
  test("works at one of five challenges at once; afterwards neither it nor an older one works", async () => {
    const { user, secret } = await userWithApp(stack);
    const challenges = [];
    for (let n = 0; n < 10; n++) challenges.push(await startChallenge(stack, user));
    const older = codeAt(secret, stack.clock.now());
    await stack.advance(STEP_MS);
    const code = codeAt(secret, stack.clock.now());
    const answers = await Promise.all(
      challenges.slice(0, 5).map(({ id }) => stack.api.verifyPasscode(id, code)),
    );
    expect(opened(answers).length).toBe(1);
    const { id } = challenges.at(-1) as { id: string };
    for (const used of [code, older])
      expectProblem(await stack.api.verifyPasscode(id, used), "passcode_already_used");
  });

  test("does not verify the user's other app; a code that verified an app does not log in", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const second = await registerApp(stack, token, "Second");
    const code = codeAt(secret, stack.clock.now());
    expectProblem(await stack.api.verifyDevice(token, second.device.id, code), "pin_rejected");
    const own = codeAt(second.secret, stack.clock.now());
    await post(`/v1/me/devices/${second.device.id}/verify`, token, {
      code: own,
      makeDefault: false,
    });
    const { id } = await startChallenge(stack, user);
    expectProblem(await stack.api.verifyPasscode(id, own), "passcode_already_used");
  });

  test("of a replaced secret verifies nothing", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const { device, secret } = await registerApp(stack, token);
    await post(`/v1/me/devices/${device.id}/restart`, token);
    const code = codeAt(secret, stack.clock.now());
    expectProblem(await stack.api.verifyDevice(token, device.id, code), "pin_rejected");
  });

  test("of an unverified app answers no login challenge, though it is right", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const unverified = await registerApp(stack, token, "Not verified");
    const { id } = await startChallenge(stack, user);
    const wrong = await stack.api.verifyPasscode(id, now(unverified.secret));
    expect(expectProblem(wrong, "passcode_rejected").attemptsRemaining).toBe(6);
    await stack.advance(STEP_MS);
    expect((await stack.api.verifyPasscode(id, now(secret))).status).toBe(200);
  });

  test("of one user opens nothing of another user", async () => {
    const [ann, eve] = [await userWithApp(stack), await userWithApp(stack)];
    const { id } = await startChallenge(stack, ann.user);
    const code = codeAt(eve.secret, stack.clock.now());
    expectProblem(await stack.api.verifyPasscode(id, code), "passcode_rejected");
  });
});

describe("a recovery code", () => {
  test("works at one of five challenges at once; a code of an older set or another user works at none", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const old = await recoveryCodes(token, 2);
    const [code = ""] = await recoveryCodes(token, 2);
    const challenges = [];
    for (let n = 0; n < 5; n++) challenges.push(await startChallenge(stack, user));
    const answers = await Promise.all(
      challenges.map(({ id }) => stack.api.verifyPasscode(id, code)),
    );
    expect(opened(answers).length).toBe(1);
    const { id } = await startChallenge(stack, user);
    expectProblem(await stack.api.verifyPasscode(id, code), "passcode_already_used");
    expectProblem(await stack.api.verifyPasscode(id, old[0] as string), "passcode_rejected");

    const other = await userWithApp(stack);
    const theirs = await startChallenge(stack, other.user);
    const [, unused = ""] = await recoveryCodes((await logInByApp(stack, user, secret)).token, 2);
    expectProblem(await stack.api.verifyPasscode(theirs.id, unused), "passcode_rejected");
  });
});

describe("an overheard request with its token and Idempotency-Key", () => {
  test("gets no secret once the session has ended", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const setUp = () => post("/v1/me/devices/otp", token, { name: "App" }, "set-up");
    const first = await setUp();
    expect((await setUp()).text).toBe(first.text);
    await verifiedApp(stack, token, false);
    const codes = () => post("/v1/me/recovery-codes", token, { quantity: 1 }, "codes");
    const made = await codes();
    expect((await codes()).text).toBe(made.text);

    await stack.api.logOut(token);
    expectProblem(await codes(), "session_revoked");
    expectProblem(await setUp(), "session_revoked");
  });

  test("gets no secret once the session has been idle for an hour", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const setUp = () => post("/v1/me/devices/otp", token, { name: "App" }, "idle");
    await setUp();
    await stack.advance(60 * MINUTE_MS);
    expectProblem(await setUp(), "session_expired");
  });
});
