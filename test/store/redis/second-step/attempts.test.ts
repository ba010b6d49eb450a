import { describe, expect, test } from "vitest";
import { newId, newOwnedId } from "../../../../store/ids.ts";
import type { Redis } from "../../../../store/redis/connect.ts";
import {
  type Attempt,
  checkPasscode,
  refundAttempt,
} from "../../../../store/redis/second-step/attempts.ts";
import {
  openChallenge,
  storePasscode,
  takeRequest,
} from "../../../../store/redis/second-step/challenges.ts";
import {
  clearFailures,
  confirmFailure,
  exhaustAttempts,
  failures,
} from "../../../../store/redis/second-step/failures.ts";
import { countRefunds } from "../../../../store/redis/second-step/refunds.ts";
import { MINUTE_MS } from "../../../../units.ts";
import { burst, NOW, newUser, tally, twoClients } from "../clients.ts";

const clients = await twoClients();
const [redis] = clients;
const WRONG_ALLOWED = 6;
/** A time at which no attempt made at `NOW` is still in progress. */
const ALL_CONFIRMED = NOW + MINUTE_MS;
const REFUNDS = { now: NOW, refundsPerDay: 10 };

async function challenged({ userId, accountId } = newUser()) {
  const user = { userId, accountId };
  const challengeId = newOwnedId(user.userId);
  const epochs = { user: NOW - 2, account: NOW - 1, accountKeys: 0 };
  await openChallenge(redis, {
    hasKey: false,
    challengeId,
    ...user,
    epochs,
    expiresAt: NOW + 10 * MINUTE_MS,
    now: NOW,
  });
  await storePasscode(redis, { challengeId, hash: "right", expiresAt: NOW + 10 * MINUTE_MS });
  type Typed = Partial<Parameters<typeof checkPasscode>[1]> & { client?: Redis };
  const check = ({ client = redis, ...typed }: Typed) =>
    checkPasscode(client, {
      challengeId,
      now: NOW,
      wrongAllowed: WRONG_ALLOWED,
      requestsAllowed: 1000,
      ...typed,
    });
  const accepted = { outcome: "accepted", scope: "full", accountId, epochs };
  return { ...user, challengeId, check, accepted };
}

const outcomes = (attempts: Attempt[]) =>
  tally(
    attempts.map((attempt) =>
      attempt.outcome === "locked" && attempt.justLocked ? "justLocked" : attempt.outcome,
    ),
  );

describe("guessing", () => {
  test("in a burst over two instances gets six rejections and then the lock", async () => {
    const { userId, check } = await challenged();
    const attempts = await burst(clients, 200, (client, index) =>
      check({ client, passcodeHashes: [`wrong ${index}`] }),
    );
    expect(outcomes(attempts)).toEqual({ rejected: 6, justLocked: 1, locked: 193 });
    expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(7);
  });

  test("is counted over all challenges of the user and both methods", async () => {
    const user = newUser();
    const challenges = await Promise.all(Array.from({ length: 7 }, () => challenged(user)));
    const attempts = await Promise.all(
      challenges.flatMap(({ check }) => [
        check({ passcodeHashes: ["wrong"] }),
        check({ otpMatches: [] }),
        check({}),
      ]),
    );
    expect(outcomes(attempts)).toEqual({ rejected: 6, justLocked: 1, locked: 14 });
  });

  test("opens nothing after the lock, even with the right passcode", async () => {
    const { check } = await challenged();
    await burst(clients, 7, (client) => check({ client, passcodeHashes: ["wrong"] }));
    const everythingRight = {
      passcodeHashes: ["right"],
      otpMatches: [{ deviceId: "device", step: 100 }],
      recoveryCode: "good" as const,
    };
    expect(await check(everythingRight)).toEqual({ outcome: "locked", justLocked: false });
  });

  test("does not touch another user", async () => {
    const victim = await challenged();
    const other = await challenged();
    await burst(clients, 10, (client) => victim.check({ client, passcodeHashes: ["wrong"] }));
    expect(await other.check({ passcodeHashes: ["right"] })).toMatchObject({ outcome: "accepted" });
  });

  test.each(["", "nonsense", `${newId()}${newId()}`, newOwnedId(newId())])(
    "at the challenge %j gets the answer unknown, and counts nothing",
    async (challengeId) => {
      const attempt = {
        challengeId,
        now: NOW,
        passcodeHashes: [""],
        wrongAllowed: WRONG_ALLOWED,
        requestsAllowed: 1000,
      };
      expect(await checkPasscode(redis, attempt)).toEqual({ outcome: "unknown" });
    },
  );

  test("with nothing typed is wrong, also if no passcode was ever sent", async () => {
    const user = newUser();
    const challengeId = newOwnedId(user.userId);
    const epochs = { user: NOW - 2, account: NOW - 1, accountKeys: 0 };
    await openChallenge(redis, {
      hasKey: false,
      challengeId,
      ...user,
      epochs,
      expiresAt: NOW + MINUTE_MS,
      now: NOW,
    });
    const attempt = { challengeId, now: NOW, wrongAllowed: WRONG_ALLOWED, requestsAllowed: 1000 };
    expect(await checkPasscode(redis, attempt)).toMatchObject({ outcome: "rejected" });
    expect(await checkPasscode(redis, { ...attempt, passcodeHashes: [""] })).toMatchObject({
      outcome: "rejected",
    });
  });
});

test("the answer says how many attempts are left; time does not reset the count", async () => {
  const { userId, check } = await challenged();
  for (const failures of [1, 2, 3, 4, 5, 6]) {
    expect(await check({ passcodeHashes: ["wrong"] })).toMatchObject({
      outcome: "rejected",
      failures,
    });
  }
  expect(await redis.pTTL(`mfa:{${userId}}:failures`)).toBe(-1);
  expect(await check({ passcodeHashes: ["wrong"] })).toMatchObject({
    outcome: "locked",
    justLocked: true,
  });
  await clearFailures(redis, userId);
  expect(await check({ passcodeHashes: ["right"] })).toMatchObject({ outcome: "accepted" });
});

describe("an SMS passcode", () => {
  test("works until its last moment; after that it is neither accepted nor counted", async () => {
    const { userId, challengeId, check, accepted } = await challenged();
    await storePasscode(redis, { challengeId, hash: "right", expiresAt: NOW + MINUTE_MS });
    expect(await check({ passcodeHashes: ["right"], now: NOW + MINUTE_MS - 1 })).toEqual({
      ...accepted,
      factor: "sms",
    });
    const late = { passcodeHashes: ["right"], now: NOW + MINUTE_MS };
    expect(await check(late)).toEqual({ outcome: "passcode_expired" });
    expect(await failures(redis, userId, late.now + MINUTE_MS)).toBe(0);
  });

  test("is void once a newer one was sent; that costs nothing, and the count of failures goes on", async () => {
    const { challengeId, check } = await challenged();
    await check({ passcodeHashes: ["wrong"] });
    await storePasscode(redis, { challengeId, hash: "newer", expiresAt: NOW + 9 * MINUTE_MS });
    expect(await check({ passcodeHashes: ["right"] })).toEqual({ outcome: "replaced" });
    expect(await check({ passcodeHashes: ["wrong"] })).toMatchObject({ failures: 2 });
    expect(await check({ passcodeHashes: ["newer"] })).toMatchObject({ outcome: "accepted" });
  });

  test("of one challenge does not open another of the same user", async () => {
    const first = await challenged();
    const second = await challenged(first);
    await storePasscode(redis, {
      challengeId: second.challengeId,
      hash: "second",
      expiresAt: NOW + MINUTE_MS,
    });
    expect(await first.check({ passcodeHashes: ["second"] })).toMatchObject({
      outcome: "rejected",
    });
  });

  test("does not outlive its challenge, and an expired challenge counts nothing", async () => {
    const { userId, check } = await challenged();
    const late = { now: NOW + 10 * MINUTE_MS, passcodeHashes: ["wrong"] };
    expect(await check(late)).toEqual({ outcome: "expired" });
    expect(await check({ ...late, recoveryCode: "good" })).toEqual({ outcome: "expired" });
    expect(await failures(redis, userId, late.now + MINUTE_MS)).toBe(0);
  });
});

describe("a wrong passcode that is still being processed", () => {
  test("counts towards the lock, but is shown only once its flow knows it", async () => {
    const { userId, challengeId, check } = await challenged();
    const first = await check({ passcodeHashes: ["wrong"] });
    expect(await failures(redis, userId, NOW)).toBe(0);
    const second = await check({ passcodeHashes: ["wrong"] });
    if (!("pendingId" in first && "pendingId" in second)) throw new Error("they were right");
    expect(second).toMatchObject({ failures: 2 });
    const confirm = ({ pendingId }: { pendingId: string }) =>
      confirmFailure(redis, { challengeId, pendingId, now: NOW });
    // The outcome of the second attempt says nothing about the first.
    expect(await confirm(second)).toBe(1);
    expect(await failures(redis, userId, NOW)).toBe(1);
    expect(await confirm(first)).toBe(2);
    await burst(clients, 4, (client) => check({ client, passcodeHashes: ["wrong"] }));
    expect(await failures(redis, userId, NOW)).toBe(2);
    expect(await check({ passcodeHashes: ["wrong"] })).toMatchObject({ justLocked: true });
  });

  test("is shown after half a minute, even if its gateway died", async () => {
    const { userId, check } = await challenged();
    await check({ passcodeHashes: ["wrong"] });
    expect(await failures(redis, userId, NOW + 29_999)).toBe(0);
    expect(await failures(redis, userId, NOW + 30_000)).toBe(1);
  });
});

describe("the requests of a challenge", () => {
  test("all count, whatever they ask for; one too many ends the challenge, right or wrong, once", async () => {
    const { challengeId, check } = await challenged();
    const requestsAllowed = 5;
    await check({ passcodeHashes: ["wrong"], requestsAllowed });
    await check({ passcodeHashes: ["right"], requestsAllowed });
    const taken = () => takeRequest(redis, { challengeId, now: NOW, allowed: requestsAllowed });
    for (let n = 0; n < 3; n++) expect(await taken()).toBe("taken");
    const late = await burst(clients, 20, (client) =>
      check({ client, passcodeHashes: ["right"], requestsAllowed }),
    );
    expect(
      tally(late.map((attempt) => String("justSpent" in attempt && attempt.justSpent))),
    ).toEqual({
      true: 1,
      false: 19,
    });
    expect(tally(late.map(({ outcome }) => outcome))).toEqual({ spent: 20 });
    expect(await taken()).toBe("spent");
  });
});

describe("an OTP step", () => {
  const step = 58_000_000;
  const deviceId = newId();

  test("is accepted for one of the challenges that send it at once", async () => {
    const user = newUser();
    const challenges = await Promise.all(Array.from({ length: 7 }, () => challenged(user)));
    const attempts = await burst(clients, 7, (client, index) =>
      (challenges[index] as (typeof challenges)[0]).check({
        client,
        otpMatches: [{ deviceId, step }],
      }),
    );
    expect(tally(attempts.map(({ outcome }) => outcome))).toEqual({ accepted: 1, used: 6 });
  });

  test("may be sent again by the challenge that used it", async () => {
    const { check } = await challenged();
    const attempts = await burst(clients, 50, (client) =>
      check({ client, otpMatches: [{ deviceId, step }] }),
    );
    expect(tally(attempts.map(({ outcome }) => outcome))).toEqual({ accepted: 50 });
  });

  test("is void for the device once a later one was accepted", async () => {
    const first = await challenged();
    const second = await challenged(first);
    await first.check({ otpMatches: [{ deviceId, step: step + 1 }] });
    expect(await second.check({ otpMatches: [{ deviceId, step }] })).toMatchObject({
      outcome: "used",
    });
    expect(await first.check({ otpMatches: [{ deviceId, step }] })).toMatchObject({
      outcome: "used",
    });
    expect(await second.check({ otpMatches: [{ deviceId, step: step + 2 }] })).toEqual({
      ...second.accepted,
      factor: "otp",
      deviceId,
      step: step + 2,
    });
  });

  test("belongs to its device only", async () => {
    const { check, userId } = await challenged();
    const again = await challenged({ userId, accountId: newId() });
    await check({ otpMatches: [{ deviceId, step }] });
    const other = newId();
    const both = [
      { deviceId, step },
      { deviceId: other, step },
    ];
    expect(await again.check({ otpMatches: both })).toMatchObject({ deviceId: other });
  });
});

test("a recovery code is accepted; a used one is reported as used and costs nothing", async () => {
  const { userId, check, accepted } = await challenged();
  for (let n = 0; n < 8; n++)
    expect(await check({ recoveryCode: "used" })).toEqual({ outcome: "used" });
  expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(0);
  expect(await check({ recoveryCode: "good" })).toEqual({ ...accepted, factor: "recovery_code" });
});

describe("an attempt that is given back after an outage", () => {
  test("counts no failure, and undoes the lock it caused", async () => {
    const { userId, challengeId, check } = await challenged();
    const attempts = await burst(clients, 7, (client) =>
      check({ client, passcodeHashes: ["wrong"] }),
    );
    await Promise.all(
      attempts.map((attempt) => refundAttempt(redis, { challengeId, attempt, ...REFUNDS })),
    );
    expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(0);
    expect(await check({ passcodeHashes: ["right"] })).toMatchObject({ outcome: "accepted" });
  });

  test("that counted nothing gives nothing back", async () => {
    const { userId, challengeId, check } = await challenged();
    await burst(clients, 7, (client) => check({ client, passcodeHashes: ["wrong"] }));
    const behindTheLock = await check({ passcodeHashes: ["wrong"] });
    await refundAttempt(redis, { challengeId, attempt: behindTheLock, ...REFUNDS });
    expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(7);
    await clearFailures(redis, userId);
    const forgotten = { outcome: "locked", justLocked: true, pendingId: newId() } as const;
    await refundAttempt(redis, { challengeId, attempt: forgotten, ...REFUNDS });
    expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(0);
  });

  test("is one of ten a day; the eleventh is spent, right or wrong", async () => {
    for (const passcodeHash of ["wrong", "right"]) {
      const { userId, challengeId, check } = await challenged();
      const give = async () => {
        const attempt = await check({ passcodeHashes: [passcodeHash] });
        return refundAttempt(redis, { challengeId, attempt, ...REFUNDS });
      };
      for (let n = 0; n < 10; n++) expect(await give()).toBe("given_back");
      expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(0);
      expect(await give()).toBe("spent");
      expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(1);
      expect(await countRefunds(redis, userId, NOW)).toBe(10);
      const attempt = await check({ passcodeHashes: [passcodeHash] });
      const tomorrow = { now: NOW + 24 * 60 * MINUTE_MS, refundsPerDay: 10 };
      expect(await refundAttempt(redis, { challengeId, attempt, ...tomorrow })).toBe("given_back");
    }
  });

  test("is given back once, also if twenty ask at once", async () => {
    const { userId, challengeId, check } = await challenged();
    await check({ passcodeHashes: ["wrong"] });
    const attempt = await check({ passcodeHashes: ["wrong"] });
    await burst(clients, 20, (client) =>
      refundAttempt(client, { challengeId, attempt, ...REFUNDS }),
    );
    expect(await failures(redis, userId, ALL_CONFIRMED)).toBe(1);
    expect(await countRefunds(redis, userId, NOW)).toBe(1);
  });

  test("cannot be given back once the user is locked for good", async () => {
    const { userId, challengeId, check } = await challenged();
    const attempts = await burst(clients, 7, (client) =>
      check({ client, passcodeHashes: ["wrong"] }),
    );
    await exhaustAttempts(redis, userId, WRONG_ALLOWED);
    for (const attempt of attempts)
      expect(await refundAttempt(redis, { challengeId, attempt, ...REFUNDS })).toBe("nothing");
    expect(await failures(redis, userId, NOW)).toBe(7);
  });

  test("frees the OTP step for the next login, but no earlier step", async () => {
    const first = await challenged();
    const second = await challenged(first);
    const match = { otpMatches: [{ deviceId: "device", step: 100 }] };
    const attempt = await first.check(match);
    await refundAttempt(redis, { challengeId: first.challengeId, attempt, ...REFUNDS });
    expect(await second.check({ otpMatches: [{ deviceId: "device", step: 99 }] })).toMatchObject({
      outcome: "used",
    });
    expect(await second.check(match)).toMatchObject({ outcome: "accepted" });
    await refundAttempt(redis, { challengeId: first.challengeId, attempt, ...REFUNDS });
    expect(await first.check(match)).toMatchObject({ outcome: "used" });
  });
});
