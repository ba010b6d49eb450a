// I have the password, not the second factor. Seven tries are too few to guess it, so I look for
// more: I overload the flow until Temporal refuses it, I wait for an outage or make the service
// slow, and I watch what another challenge shows about a guess that is being checked.
import { describe, expect, test } from "vitest";
import { getUser } from "../../store/postgres/users.ts";
import { TemporalAway } from "../../temporal/errors.ts";
import { logInByApp, supportOperator, userWithApp } from "../support/apps.ts";
import { flowAttacks, impatientClient } from "../support/flow-attacks.ts";
import { expectProblem } from "../support/problems.ts";
import { startChallenge, unverifiedPhone, wrongCode } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const REQUESTS = 60;
const REFUNDS = 10;
const BUDGET = 7;

const stack = useStack();

const { impatient, now, remaining, eventsOf, withoutWorker } = flowAttacks(stack);

describe("attack: wearing out a flow", () => {
  test("refused requests count as well: after sixty the challenge is over, at /v1 and at /v2.0", async () => {
    const { user, secret } = await userWithApp(stack);
    const illegal = await startChallenge(stack, user);
    for (let n = 0; n < REQUESTS; n++)
      expectProblem(await stack.api.resendPasscode(illegal.id), "illegal_transition");
    for (const answer of [
      await stack.api.resendPasscode(illegal.id),
      await stack.api.chooseMethod(illegal.id, "otp"),
      await stack.api.verifyPasscode(illegal.id, now(secret)),
    ])
      expect(expectProblem(answer, "challenge_expired").reason).toBe("too_many_requests");

    const malformed = await startChallenge(stack, user);
    const send = (passcode: string) =>
      stack.app.request("/v2.0/tokens", {
        method: "POST",
        headers: { "content-type": "application/json", "x-sessionid": malformed.id },
        body: JSON.stringify({ auth: { "RAX-AUTH:passcodeCredentials": { passcode } } }),
      });
    for (let n = 0; n < REQUESTS; n++) expect((await send("12")).status).toBe(400);
    expect((await send(now(secret))).status).toBe(401);
    const last = await startChallenge(stack, user);
    expect((await stack.api.verifyPasscode(last.id, now(secret))).status).toBe(200);
  });
});

describe("attack: guessing while no worker answers", () => {
  test("gives back ten guesses a day at most: seventeen, then the lock; right and wrong look the same", async () => {
    const api = impatient();
    const people = [await userWithApp(stack), await userWithApp(stack)];
    const [honest, thief] = people as [(typeof people)[0], (typeof people)[0]];
    const answers = await withoutWorker(async () => {
      const of = async ({ user, secret }: typeof honest, guess: (n: number) => string) => {
        const { id } = (await startChallenge(stack, user)) as { id: string };
        const watching = await startChallenge(stack, user);
        const seen = [];
        for (let n = 0; n < REFUNDS + BUDGET; n++) {
          const { status, text, headers } = await api.verifyPasscode(id, guess(n));
          const { attemptsRemaining } = (await stack.api.challenge(watching.id)).body;
          seen.push({ status, text, wait: headers.get("retry-after"), attemptsRemaining });
        }
        expectProblem(await api.verifyPasscode(watching.id, now(secret)), "service_unavailable");
        return seen;
      };
      return [
        await of(honest, () => now(honest.secret)),
        await of(thief, (n) => wrongCode(now(thief.secret), n + 1)),
      ];
    });
    const [right, wrong] = answers;
    expect(wrong).toEqual(right);
    expect(wrong?.map(({ attemptsRemaining }) => attemptsRemaining)).toEqual([
      ...Array(REFUNDS).fill(BUDGET),
      ...[6, 5, 4, 3, 2, 1, 0],
    ]);
    expectProblem(await stack.api.logIn(thief.user), "account_locked");
    expectProblem(await stack.api.logIn(honest.user), "account_locked");
    expect((await getUser(stack.deps.db, thief.user.id))?.lockedAt).not.toBeNull();
  });

  test("is shown to the owner and to Support", async () => {
    const { user, secret } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    await withoutWorker(async () => {
      for (let n = 0; n < 3; n++)
        expectProblem(
          await impatient().verifyPasscode(id, wrongCode(now(secret), n + 1)),
          "service_unavailable",
        );
    });
    const { token } = await logInByApp(stack, user, secret);
    const events = await eventsOf(token, "attempt_given_back");
    expect(events.map(({ detail }) => detail)).toEqual(Array(3).fill({ kind: "passcode" }));
    const session = await supportOperator(stack);
    const seen = await stack.api.call<{ attemptsGivenBack: number }>(
      "GET",
      `/v1/support/users/${user.id}?reason=test`,
      { token: session.token },
    );
    expect(seen.body.attemptsGivenBack).toBe(3);
  });
});

test("attack: another challenge shows nothing about a guess that is being checked", async () => {
  const people = [await userWithApp(stack), await userWithApp(stack)];
  for (const [index, { user, secret }] of people.entries()) {
    const { id } = await startChallenge(stack, user);
    const watching = await startChallenge(stack, user);
    const code = index === 0 ? now(secret) : wrongCode(now(secret));
    await withoutWorker(async () => {
      const guess = impatient().verifyPasscode(id, code);
      let over = false;
      void guess.then(() => {
        over = true;
      });
      while (!over) expect(await remaining(watching.id)).toBe(BUDGET);
    });
  }
});

test("attack: a phone's page shows nothing about a PIN that is being sent", async () => {
  const { flows } = stack.deps;
  for (const guessed of [(pin: string) => pin, wrongCode]) {
    const { token, id, pin } = await unverifiedPhone(stack, await stack.createUser());
    let reach = () => {};
    let giveUp = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const moveEnrollment = () => {
      reach();
      return new Promise<never>((_, reject) => {
        giveUp = () => reject(new TemporalAway("no answer"));
      });
    };
    const slow = impatientClient(stack, { flows: { ...flows, moveEnrollment } });
    const tries = async () =>
      (await stack.api.multiFactor(token)).body.devices.map((device) => device.triesRemaining);
    const guess = slow.verifyDevice(token, id, guessed(pin));
    await reached;
    expect(await tries()).toEqual([null]);
    giveUp();
    expectProblem(await guess, "service_unavailable");
    expect(await tries()).toEqual([null]);
    // The try was given back.
    const wrong = await stack.api.verifyDevice(token, id, wrongCode(pin, 2));
    expect(expectProblem(wrong, "pin_rejected").triesRemaining).toBe(4);
    expect(await tries()).toEqual([4]);
  }
});
