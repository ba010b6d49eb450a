import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countUnchained, headsOf } from "../../store/postgres/events/event-chain.ts";
import { type Finding, verifyAccount } from "../../store/postgres/events/verify-events.ts";
import { everythingReadable, secretsIn } from "../support/histories.ts";
import { limit } from "../support/limits.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import {
  challengeSent,
  logInByPassword,
  pinSent,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

// One story: each test continues where the previous one ended.
describe.each(["postgres", "pglite"] as const)("the story of a phone, on %s", (database) => {
  let service: Service;
  let alice: Person;
  let bob: Person;
  const phone = newPhone();
  const bobs = newPhone();
  /** Everything that must not be in a history or a log. */
  const secrets = new Set<string>();
  const workflows = new Set<string>();
  /** Alice's first session, a second one, her device, and her session by SMS. */
  let first: string;
  let second: string;
  let device: string;
  let session: string;

  beforeAll(async () => {
    service = await startService(database);
    [alice, bob] = [await service.createUser(), await service.createUser()];
    for (const { password } of [alice, bob]) secrets.add(password);
    for (const { e164, phoneNumber } of [phone, bobs])
      for (const spelling of [e164, e164.slice(1), e164.slice(2), phoneNumber])
        secrets.add(spelling);
  }, limit(120_000));
  afterAll(async () => {
    expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
  });

  const kept = (secret: string) => {
    secrets.add(secret);
    return secret;
  };
  const token = ({ token }: { token: string }) => {
    kept(token);
    kept(token.split(".")[1] as string);
    return token;
  };
  const nextPin = async (number = phone.e164) => kept(await service.pinTo(number));
  const nextPasscode = async (number = phone.e164) => kept(await service.passcodeTo(number));
  const wrong = (code: string, n = 1) => kept(wrongCode(code, n));

  async function challenge(user: Person) {
    const begun = await startChallenge(service, user);
    workflows.add(`login-challenge/${begun.id}`);
    return begun;
  }

  test("a user without a second factor logs in and registers a phone, which is sent a PIN", async () => {
    first = token(await logInByPassword(service, alice));
    second = token(await logInByPassword(service, alice));
    const registered = (await service.api.registerPhone(first, phone)).body;
    expect(registered).toMatchObject({ type: "sms", verified: false, state: "sending_pin" });
    device = registered.id;
    workflows.add(`sms-enrollment/${device}`);
    const pin = await nextPin();
    await pinSent(service, first, device);

    await service.forgetSends();
    expect((await service.api.resendPin(first, device)).status).toBe(202);
    const next = await nextPin();
    await pinSent(service, first, device);
    if (pin !== next)
      expectProblem(await service.api.verifyDevice(first, device, pin), "pin_replaced");
  });

  test("after five wrong PINs the PIN is void, and the device stays unverified", async () => {
    await service.forgetSends();
    await service.api.resendPin(first, device);
    const pin = await nextPin();
    for (const left of [4, 3, 2, 1, 0]) {
      const answer = await service.api.verifyDevice(first, device, wrong(pin, left + 1));
      expect(expectProblem(answer, "pin_rejected").triesRemaining).toBe(left);
    }
    expectProblem(await service.api.verifyDevice(first, device, pin), "pin_expired");
    const { devices, enabled } = (await service.api.multiFactor(first)).body;
    expect(enabled).toBe(false);
    expect(devices).toMatchObject([{ id: device, verified: false, state: "pin_void" }]);
    expect((await logInByPassword(service, alice)).amr).toEqual(["pwd"]);
  });

  test("verified later with a new PIN, it logs the user out everywhere", async () => {
    const later = token(await logInByPassword(service, alice));
    await service.forgetSends();
    expect((await service.api.resendPin(later, device)).status).toBe(202);
    const verified = await service.api.verifyDevice(later, device, await nextPin());
    expect(verified.body).toMatchObject({ signedOut: true, device: { verified: true } });
    for (const old of [first, second, later]) {
      const ended = expectProblem(await service.api.session(old), "session_revoked");
      expect(ended.reason).toBe("device_verified");
    }
  });

  test("the next login is a challenge; a resend voids the older passcode; one answer of ten wins", async () => {
    const { id, state, deliveredTo } = await challenge(alice);
    expect({ state, deliveredTo }).toEqual({
      state: "sending_passcode",
      deliveredTo: `+•••••••${phone.e164.slice(-4)}`,
    });
    const old = await nextPasscode();
    expect(old).toMatch(/^\d{7}$/);
    await challengeSent(service, id);
    const guess = await service.api.verifyPasscode(id, wrong(old));
    expect(expectProblem(guess, "passcode_rejected").attemptsRemaining).toBe(6);

    await service.forgetSends();
    expect((await service.api.resendPasscode(id)).status).toBe(202);
    const passcode = await nextPasscode();
    await challengeSent(service, id);
    if (old !== passcode)
      expectProblem(await service.api.verifyPasscode(id, old), "passcode_replaced");

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => service.api.verifyPasscode(id, passcode)),
    );
    const [won, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    session = token(won?.body.session as { token: string });
    expect(won?.body.session).toMatchObject({ amr: ["pwd", "sms", "mfa"], scope: "full" });
    for (const answer of answers.filter((answer) => answer !== won))
      expectProblem(answer, "illegal_transition");
    expectProblem(await service.api.verifyPasscode(id, passcode), "illegal_transition");
    expect((await service.api.challenge(id)).body.state).toBe("authenticated");
  });

  test("sessions are listed, can end each other, and end by logging out", async () => {
    const { id } = await challenge(alice);
    const login = await service.api.verifyPasscode(id, await nextPasscode());
    const other = token(login.body.session);
    const { sessions } = (await service.api.sessions(session)).body;
    expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);
    for (const { ip } of sessions) expect(ip).toBe("127.0.0.1");
    expect((await service.api.endSession(session, login.body.session.id)).status).toBe(204);
    expect((await service.api.session(other)).problem.reason).toBe("ended_by_user");
    expect((await service.api.logOut(session)).status).toBe(204);
    expect((await service.api.session(session)).problem.reason).toBe("signed_out");
  });

  test("attack: sixty guesses at once over three challenges get six tries, then the lock", async () => {
    const begun = token(await logInByPassword(service, bob));
    const { id } = (await service.api.registerPhone(begun, bobs)).body;
    workflows.add(`sms-enrollment/${id}`);
    await service.api.verifyDevice(begun, id, await nextPin(bobs.e164));
    const challenges: { id: string; passcode: string }[] = [];
    for (let n = 0; n < 3; n++)
      challenges.push({
        id: (await challenge(bob)).id,
        passcode: await nextPasscode(bobs.e164),
      });
    const right = new Set(challenges.map(({ passcode }) => passcode));
    const guesses = Array.from({ length: 70 }, (_, n) => String(1_000_000 + n * 7919))
      .filter((guess) => !right.has(guess))
      .slice(0, 60);
    for (const guess of guesses) secrets.add(guess);

    const answers = await Promise.all(
      guesses.map((guess, n) => {
        const { id } = challenges[n % 3] as { id: string };
        return service.api.verifyPasscode(id, guess);
      }),
    );
    const tries = answers.filter(({ status }) => status === 422);
    expect(tries.length).toBeLessThanOrEqual(6);
    for (const answer of tries) expectProblem(answer, "passcode_rejected");
    for (const answer of answers.filter(({ status }) => status !== 422))
      expectProblem(answer, "account_locked");
    for (const { id, passcode } of challenges)
      expectProblem(await service.api.verifyPasscode(id, passcode), "account_locked");
    expectProblem(await service.api.logIn(bob), "account_locked");
    expectProblem(await service.api.logIn({ ...bob, password: "x" }), "invalid_credentials");
  });

  test("attack: an operator reads every history and every log line, and learns no secret", async () => {
    const { client } = service.temporal;
    await until(
      async () => {
        const listed = new Set<string>();
        for await (const { workflowId } of client.workflow.list()) listed.add(workflowId);
        return [...workflows].filter((workflowId) => !listed.has(workflowId));
      },
      (missing) => missing.length === 0,
    );
    const { types, texts } = await everythingReadable(client);
    // The story's events also start notices.
    expect(types.filter((type) => type !== "notice")).toHaveLength(workflows.size);
    expect(types).toContain("notice");
    // Proves that the texts hold decoded inputs, summaries and current details.
    const all = texts.join("\n");
    expect(all).toContain(`"deviceId":"${device}"`);
    expect(all).toContain('"send a passcode by SMS"');
    expect(all).toContain("**state**: authenticated");
    expect(secretsIn(texts, secrets)).toEqual([]);

    const lines = service.logs().map(withoutNumbers);
    expect(lines.length).toBeGreaterThan(100);
    expect(secretsIn(lines, secrets)).toEqual([]);
    // Proves that the search finds secrets that are there.
    expect(secretsIn([...lines, `x ${[...secrets].join(" ")} y`], secrets)).toEqual([...secrets]);
  });

  test("the worker has chained every event, and the chains fit the events", async () => {
    const { db } = service;
    await until(
      () => countUnchained(db),
      (waiting) => waiting === 0,
    );
    const found: Finding[] = [];
    for (const { accountId } of [alice, bob]) {
      const checked = { found: (one: Finding) => found.push(one), read() {} };
      expect(await verifyAccount(db, accountId, checked)).toBeGreaterThan(0);
      expect((await headsOf(db, [accountId])).get(accountId)?.seq).toBeGreaterThan(0);
    }
    expect(found).toEqual([]);
  });
});

/** A log line without its own numbers, such as times, which could look like a code. */
function withoutNumbers(line: string): string {
  if (!line.startsWith("{")) return line;
  const { pid, time, ms, port, hostname, ...rest } = JSON.parse(line);
  return JSON.stringify(rest);
}
