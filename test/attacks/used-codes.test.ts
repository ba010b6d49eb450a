// I have a code that was right once, but its owner used it a second before me. Does the answer tell
// me more, and do I get extra guesses? And the owner, who types the code that is still on the
// screen: does the service count that as wrong, or lock them?
import { expect, test } from "vitest";
import { codeAt, registerApp, userWithApp } from "../support/apps.ts";
import { expectProblem } from "../support/problems.ts";
import { isDone, logInByPassword, startChallenge, wrongCode } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const STEP_MS = 30_000;

const stack = useStack();

const now = (secret: string) => codeAt(secret, stack.clock.now());

test("the code that has just verified an app does not log in: eight times told to wait, and not locked", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  await stack.advance(18_000);
  const code = now(secret);
  expect(isDone(await stack.api.verifyDevice(token, device.id, code))).toBe(true);
  const { id } = await startChallenge(stack, user);
  for (let n = 0; n < 8; n++) {
    const used = expectProblem(await stack.api.verifyPasscode(id, code), "passcode_already_used");
    expect(used).toMatchObject({
      detail: "You have used this code already. Wait for the next one (12 seconds).",
      secondsUntilNext: 12,
    });
  }
  expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(7);
  const { html } = await webClient(stack).send(`/login/${id}/verify`, { passcode: code });
  expect(html).toContain("Wait for the next one (12 seconds).");
  expect(html).not.toMatch(/(try|tries) (is|are) left/);
  await stack.advance(12_000);
  const late = expectProblem(await stack.api.verifyPasscode(id, code), "passcode_already_used");
  expect(late.detail).toBe(
    "You have used this code already. Type the one that your app shows now.",
  );
  expect((await stack.api.verifyPasscode(id, now(secret))).status).toBe(200);
});

test("at /v2.0 a used code is refused like a wrong one, and costs nothing", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  const code = now(secret);
  await stack.api.verifyDevice(token, device.id, code);
  const { id } = await startChallenge(stack, user);
  const send = (passcode: string) =>
    stack.app.request("/v2.0/tokens", {
      method: "POST",
      headers: { "content-type": "application/json", "x-sessionid": id },
      body: JSON.stringify({ auth: { "RAX-AUTH:passcodeCredentials": { passcode } } }),
    });
  const refused = await send(code);
  expect(refused.status).toBe(401);
  expect(await refused.json()).toEqual({
    unauthorized: { code: 401, message: expect.stringContaining("Wait for the next one") },
  });
  await stack.advance(STEP_MS);
  expect((await send(now(secret))).status).toBe(200);
});

test("attack: used codes between guesses give no extra guess: seven wrong ones still lock", async () => {
  const { user, secret } = await userWithApp(stack);
  const first = await startChallenge(stack, user);
  const used = now(secret);
  await stack.api.verifyPasscode(first.id, used);
  const { id } = await startChallenge(stack, user);
  for (let n = 1; n <= 6; n++) {
    expectProblem(await stack.api.verifyPasscode(id, used), "passcode_already_used");
    const wrong = await stack.api.verifyPasscode(id, wrongCode(used, n * 1001));
    expect(expectProblem(wrong, "passcode_rejected").attemptsRemaining).toBe(7 - n);
  }
  expectProblem(await stack.api.verifyPasscode(id, wrongCode(used, 7007)), "account_locked");
  // Once the user is locked, the answer to a used code is the same as to any other.
  expectProblem(await stack.api.verifyPasscode(id, used), "account_locked");
});

test("attack: used codes count as requests: sixty end the challenge", async () => {
  const { user, secret } = await userWithApp(stack);
  const first = await startChallenge(stack, user);
  const used = now(secret);
  await stack.api.verifyPasscode(first.id, used);
  const { id } = await startChallenge(stack, user);
  for (let n = 0; n < 60; n++)
    expectProblem(await stack.api.verifyPasscode(id, used), "passcode_already_used");
  await stack.advance(STEP_MS);
  expectProblem(await stack.api.verifyPasscode(id, now(secret)), "challenge_expired");
});

test("a code older than the last used one is called no longer valid, not used", async () => {
  const { user, secret } = await userWithApp(stack);
  await stack.advance(60_000);
  const older = now(secret);
  await stack.advance(30_000);
  const first = await startChallenge(stack, user);
  expect((await stack.api.verifyPasscode(first.id, now(secret))).status).toBe(200);
  const { id } = await startChallenge(stack, user);
  const detailFor = async (code: string) =>
    expectProblem(await stack.api.verifyPasscode(id, code), "passcode_already_used").detail;
  expect(await detailFor(older)).toMatch(/^This code is no longer valid\. /);
  expect(await detailFor(now(secret))).toMatch(/^You have used this code already\. /);
});

test("an open login ends when its user ends all other sessions, and says so when asked", async () => {
  const { user, secret } = await userWithApp(stack);
  const own = await startChallenge(stack, user);
  const { token } = (await stack.api.verifyPasscode(own.id, now(secret))).body.session;
  await stack.advance(30_000);
  const { id } = await startChallenge(stack, user);
  await stack.api.call("DELETE", "/v1/sessions", { token });
  expectProblem(await stack.api.verifyPasscode(id, now(secret)), "challenge_expired");
  expect((await stack.api.challenge(id)).body).toMatchObject({ state: "expired", next: [] });
});
