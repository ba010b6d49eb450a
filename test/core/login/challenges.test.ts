import { describe, expect, test } from "vitest";
import { logInByApp, userWithApp, verifiedApp } from "../../support/apps.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const INTERVAL_MS = 30_000;

async function paired() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  return { user, e164 };
}

async function challenged() {
  const { user, e164 } = await paired();
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  return { user, e164, id, passcode };
}

describe("attack: guessing the passcode", () => {
  test("seven wrong ones lock the user; then the right one is not checked any more", async () => {
    const { user, id, passcode } = await challenged();
    for (const left of [6, 5, 4, 3, 2, 1]) {
      const answer = await stack.api.verifyPasscode(id, wrongCode(passcode, left));
      expect(expectProblem(answer, "passcode_rejected").attemptsRemaining).toBe(left);
    }
    expectProblem(await stack.api.verifyPasscode(id, wrongCode(passcode, 7)), "account_locked");
    expectProblem(await stack.api.verifyPasscode(id, passcode), "account_locked");
    expectProblem(await stack.api.resendPasscode(id), "account_locked");
    expectProblem(await stack.api.logIn(user), "account_locked");
    expect((await stack.api.challenge(id)).body).toMatchObject({
      state: "locked",
      attemptsRemaining: 0,
      next: [],
    });
  });

  test("they are counted together over several challenges", async () => {
    const { user, id, passcode } = await challenged();
    for (let guess = 1; guess <= 6; guess++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
    const second = await startChallenge(stack, user);
    expect(second.attemptsRemaining).toBe(1);
    expectProblem(await stack.api.verifyPasscode(second.id, "0000000"), "account_locked");
    expectProblem(await stack.api.verifyPasscode(id, passcode), "account_locked");
  });

  test("a right one resets the count", async () => {
    const { user, e164, id, passcode } = await challenged();
    for (let guess = 1; guess <= 6; guess++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
    expect((await stack.api.verifyPasscode(id, passcode)).body.session.amr).toContain("mfa");
    expect((await startChallenge(stack, user)).attemptsRemaining).toBe(7);
    await stack.passcodeTo(e164);
  });

  test("an open session survives the lock", async () => {
    const { user, e164 } = await paired();
    const session = await logInBySms(stack, user, e164);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    for (let guess = 1; guess <= 7; guess++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
    const locked = async () => (await stack.api.multiFactor(session.token)).body.locked;
    expect(await until(locked, Boolean)).toBe(true);
  });
});

describe("attack: an overheard passcode", () => {
  test("opens one session only, also if it arrives ten times at once", async () => {
    const { user, id, passcode } = await challenged();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stack.api.verifyPasscode(id, passcode)),
    );
    const opened = answers.filter(({ status }) => status === 200);
    expect(opened).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expectProblem(answer, "illegal_transition");
    expectProblem(await stack.api.verifyPasscode(id, passcode), "illegal_transition");
    const token = opened[0]?.body.session.token ?? "";
    expect((await stack.api.sessions(token)).body.sessions).toHaveLength(1);
    expect((await startChallenge(stack, user)).attemptsRemaining).toBe(7);
  });

  test("works only for its own challenge", async () => {
    const { user, e164, id, passcode } = await challenged();
    const second = await startChallenge(stack, user);
    const its = await stack.passcodeTo(e164);
    if (its === passcode) return;
    expectProblem(await stack.api.verifyPasscode(second.id, passcode), "passcode_rejected");
    expectProblem(await stack.api.verifyPasscode(id, its), "passcode_rejected");
    expect((await stack.api.verifyPasscode(second.id, its)).status).toBe(200);
    expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
  });

  test("is void once another one was sent, which resets neither the count nor the deadline", async () => {
    const { e164, id, passcode } = await challenged();
    await stack.api.verifyPasscode(id, wrongCode(passcode));
    const before = (await stack.api.challenge(id)).body;
    await stack.advance(INTERVAL_MS);
    const resent = (await stack.api.resendPasscode(id)).body;
    expect(resent).toMatchObject({ expiresAt: before.expiresAt, attemptsRemaining: 6 });
    const next = await stack.passcodeTo(e164);
    if (next === passcode) return;
    // The right code of an older message: the answer says so, and no attempt is counted.
    expectProblem(await stack.api.verifyPasscode(id, passcode), "passcode_replaced");
    expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(6);
    expect((await stack.api.verifyPasscode(id, next)).status).toBe(200);
  });
});

describe("attack: making the service send messages", () => {
  test("one passcode per challenge in thirty seconds", async () => {
    const { id } = await challenged();
    const refused = await stack.api.resendPasscode(id);
    expectProblem(refused, "send_limit");
    await stack.advance(Number(refused.headers.get("retry-after")) * 1000);
    expect((await stack.api.resendPasscode(id)).status).toBe(202);
  });

  test("none for switching to the app and back; the passcode that was sent still works", async () => {
    const { user, e164 } = await paired();
    const { token } = await logInBySms(stack, user, e164);
    await verifiedApp(stack, token, false);
    await stack.advance(INTERVAL_MS);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await challengeSent(stack, id);
    expect((await stack.api.chooseMethod(id, "otp")).body).toMatchObject({ method: "otp" });
    const out = {
      ...{ method: "sms", state: "awaiting_passcode", delivery: "sent", problem: null },
      next: ["verify", "resend", "method"],
    };
    expect((await stack.api.chooseMethod(id, "sms")).body).toMatchObject(out);
    expect((await stack.api.challenge(id)).body).toMatchObject(out);
    expectProblem(await stack.api.resendPasscode(id), "send_limit");
    expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
  });

  test("twenty passcodes per user in an hour; the login goes on and says so", async () => {
    const { user, e164 } = await paired();
    for (let login = 1; login <= 20; login++) {
      expect((await startChallenge(stack, user)).state).toBe("sending_passcode");
      await stack.passcodeTo(e164);
    }
    const challenge = await startChallenge(stack, user);
    expect(challenge).toMatchObject({
      state: "delivery_failed",
      problem: "send_limit",
      next: ["resend", "method"],
    });
    expectProblem(await stack.api.resendPasscode(challenge.id), "send_limit");
  });
});

describe("a challenge", () => {
  test("says where the passcode went and what can be done, and nothing more", async () => {
    const { user, e164 } = await paired();
    const { id } = await startChallenge(stack, user);
    await stack.passcodeTo(e164);
    const { body, text } = await stack.api.challenge(id);
    expect(await challengeSent(stack, id)).toMatchObject({
      state: "awaiting_passcode",
      next: ["verify", "resend"],
    });
    expect(body).toMatchObject({ method: "sms", methods: ["sms"], attemptsRemaining: 7 });
    expect(Date.parse(body.expiresAt) - stack.clock.now()).toBe(10 * 60_000);
    expect(body.deliveredTo).toBe(`+${"•".repeat(7)}${e164.slice(-4)}`);
    expect(text).not.toContain(e164.slice(2, -4));
    expect(text).not.toContain(user.username);
  });

  test("says the same when it is read, also before any answer", async () => {
    const { user, e164 } = await paired();
    const { token } = await logInBySms(stack, user, e164);
    await verifiedApp(stack, token, true);
    const opened = await startChallenge(stack, user);
    expect(opened.method).toBe("otp");
    expect((await stack.api.challenge(opened.id)).body).toEqual(opened);
    expectProblem(await stack.api.resendPasscode(opened.id), "illegal_transition");
    expect((await stack.api.chooseMethod(opened.id, "sms")).body).toMatchObject({ method: "sms" });
  });

  test("without any answer is withdrawn with the devices", async () => {
    const { user, secret } = await userWithApp(stack);
    const { token } = await logInByApp(stack, user, secret);
    const { id } = await startChallenge(stack, user);
    expect((await stack.api.call("DELETE", "/v1/me/devices", { token })).status).toBe(204);
    expect((await stack.api.challenge(id)).body).toMatchObject({ state: "withdrawn", next: [] });
  });

  test("accepts the passcode with the spaces and hyphens that people type", async () => {
    const { id, passcode } = await challenged();
    const typed = ` ${passcode.slice(0, 3)} ${passcode.slice(3, 5)}-${passcode.slice(5)} `;
    expect((await stack.api.verifyPasscode(id, typed)).status).toBe(200);
  });

  test("opens at once, even if the provider does not answer; the passcode works when it comes", async () => {
    const { user, e164 } = await paired();
    stack.failSms("hang");
    const { id, state } = await startChallenge(stack, user);
    expect(state).toBe("sending_passcode");
    expect((await stack.api.challenge(id)).body.next).toEqual(["verify"]);
    expectProblem(await stack.api.verifyPasscode(id, "0000000"), "passcode_rejected");
    stack.failSms();
    const { body } = await stack.api.verifyPasscode(id, await stack.passcodeTo(e164));
    expect(body.session.amr).toContain("sms");
  });

  test("cannot switch to a method that the user does not have", async () => {
    const { id } = await challenged();
    expectProblem(await stack.api.chooseMethod(id, "otp"), "method_not_configured");
    expectProblem(await stack.api.chooseMethod(id, "email"), "invalid_request");
    expect((await stack.api.chooseMethod(id, "sms")).body.method).toBe("sms");
  });

  test("that is over accepts nothing more", async () => {
    const { id, passcode } = await challenged();
    await stack.api.verifyPasscode(id, passcode);
    expect((await stack.api.challenge(id)).body).toMatchObject({
      state: "authenticated",
      next: [],
    });
    expectProblem(await stack.api.resendPasscode(id), "illegal_transition");
    expectProblem(await stack.api.chooseMethod(id, "sms"), "illegal_transition");
    expectProblem(await stack.api.verifyPasscode(id, wrongCode(passcode)), "illegal_transition");
  });
});

test("no request finds a challenge whose flow an operator has ended", async () => {
  const { id, passcode } = await challenged();
  await stack.temporal.client.workflow.getHandle(`login-challenge/${id}`).terminate();
  expectProblem(await stack.api.challenge(id), "challenge_not_found");
  expectProblem(await stack.api.verifyPasscode(id, wrongCode(passcode)), "challenge_not_found");
  expectProblem(await stack.api.verifyPasscode(id, passcode), "challenge_not_found");
  expectProblem(await stack.api.resendPasscode(id), "challenge_not_found");
});

test("no request finds a challenge whose flow Temporal has lost", async () => {
  const { id, passcode } = await challenged();
  const { client, namespace } = stack.temporal;
  await client.workflowService.deleteWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: `login-challenge/${id}` },
  });
  await until(
    () => stack.api.challenge(id),
    ({ status }) => status === 404,
  );
  expectProblem(await stack.api.verifyPasscode(id, wrongCode(passcode)), "challenge_not_found");
  expectProblem(await stack.api.verifyPasscode(id, passcode), "challenge_not_found");
  expectProblem(await stack.api.resendPasscode(id), "challenge_not_found");
});
