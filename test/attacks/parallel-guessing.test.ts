// I have the password. I open as many challenges as possible and send hundreds of guesses at once,
// of every kind of code. I hope that two guesses count as one.
import { expect, test } from "vitest";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { getUser } from "../../store/postgres/users.ts";
import { codeAt, verifiedApp } from "../support/apps.ts";
import type { Answer } from "../support/client.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  pinSent,
  startChallenge,
} from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const BUDGET = 6;

const stack = useStack();

/** A user with a phone, an app and recovery codes. */
async function everyMethod() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  const { secret } = await verifiedApp(stack, token, false);
  const made = stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", {
    token,
    body: { quantity: 3 },
  });
  return { user, e164, secret, codes: (await made).body.codes };
}

/** `count` wrong guesses of a kind; none is in `right`. */
const wrongs = (count: number, right: Set<string>, of: (n: number) => string) =>
  Array.from({ length: count + right.size }, (_, n) => of(n))
    .filter((guess) => !right.has(guess))
    .slice(0, count);

const judged = (answers: Answer<unknown>[]) => answers.filter(({ status }) => status === 422);

test("three hundred wrong codes of three kinds at eight challenges: six are checked, then the lock refuses right ones too", async () => {
  const { user, e164, secret, codes } = await everyMethod();
  const challenges: { id: string; passcode: string }[] = [];
  for (let n = 0; n < 8; n++) {
    const { id } = await startChallenge(stack, user);
    challenges.push({ id, passcode: await stack.passcodeTo(e164) });
  }
  for (const { id } of challenges.slice(4)) await stack.api.chooseMethod(id, "otp");

  const now = stack.clock.now();
  const steps = [-1, 0, 1].map((step) => codeAt(secret, now + step * 30_000));
  const passcodes = new Set(challenges.map(({ passcode }) => passcode));
  const guesses = [
    ...wrongs(100, passcodes, (n) => String(1_000_003 + n * 7919)),
    ...wrongs(100, new Set(steps), (n) => String(100_003 + n * 7919).slice(0, 6)),
    ...wrongs(100, new Set(), (n) => `ABCD-EFGH-JKMN-${String(1000 + n)}`),
  ];
  const answers = await Promise.all(
    guesses.map((guess, n) => {
      const { id } = challenges[n % challenges.length] as (typeof challenges)[0];
      return stack.api.verifyPasscode(id, guess);
    }),
  );
  expect(judged(answers).length).toBeLessThanOrEqual(BUDGET);
  for (const answer of judged(answers)) expectProblem(answer, "passcode_rejected");
  const rest = answers.filter(({ status }) => status !== 422);
  for (const answer of rest) expectProblem(answer, "account_locked");

  await stack.advance(30_000);
  const right = codeAt(secret, stack.clock.now());
  for (const { id, passcode } of challenges)
    for (const code of [passcode, right, codes[0] as string])
      expectProblem(await stack.api.verifyPasscode(id, code), "account_locked");
  expectProblem(await stack.api.logIn(user), "account_locked");

  expect((await getUser(stack.deps.db, user.id))?.lockedAt).not.toBeNull();
  const { events } = await listEvents(stack.deps.db, { userId: user.id, limit: 100 });
  expect(events.filter(({ type }) => type === "account_locked")).toHaveLength(1);
});

test("the right passcode among two hundred wrong ones opens one session at most, and leaves no second budget", async () => {
  const { user, e164 } = await everyMethod();
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  const guesses = wrongs(200, new Set([passcode]), (n) => String(2_000_003 + n * 7919));
  guesses.splice(150, 0, passcode);
  const answers = await Promise.all(guesses.map((guess) => stack.api.verifyPasscode(id, guess)));
  const opened = answers.filter(({ status }) => status === 200);
  expect(opened.length).toBeLessThanOrEqual(1);
  // A success ends the challenge, so no guess is checked after it.
  expect(judged(answers).length).toBeLessThanOrEqual(BUDGET);
});

test("PINs of one phone after another: five tries for each, ten PINs a day, even if phones are removed in between", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  let pins = 0;
  let tried = 0;
  let id: string | undefined;
  let phone = newPhone();
  for (;;) {
    const fresh = (await logInByPassword(stack, user)).token;
    const sent = id
      ? await stack.api.resendPin(fresh, id)
      : await stack.api.registerPhone(fresh, phone);
    if (sent.status === 429) {
      expectProblem(sent, "send_limit");
      break;
    }
    const device = sent.body.id;
    const pin = await stack.pinTo(phone.e164);
    pins += 1;
    await pinSent(stack, fresh, device);
    const guesses = wrongs(30, new Set([pin]), (n) => String(1000 + n * 211));
    const answers = await Promise.all(
      guesses.map((guess) => stack.api.verifyDevice(token, device, guess)),
    );
    const tries = judged(answers).length;
    expect(tries).toBeLessThanOrEqual(5);
    tried += tries;
    expectProblem(await stack.api.verifyDevice(token, device, pin), "pin_expired");
    // Every second time the test removes the device and adds a new phone.
    id = pins % 2 === 1 ? device : undefined;
    if (!id) {
      await stack.api.call("DELETE", `/v1/me/devices/${device}`, { token: fresh });
      phone = newPhone();
    }
    await stack.advance(30_000);
  }
  expect(pins).toBe(10);
  expect(tried).toBeLessThanOrEqual(50);
});
