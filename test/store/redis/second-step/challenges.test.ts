import { expect, test } from "vitest";
import { newId, newOwnedId } from "../../../../store/ids.ts";
import { checkPasscode } from "../../../../store/redis/second-step/attempts.ts";
import {
  listOpenChallenges,
  openChallenge,
  readChallenge,
  storePasscode,
  withdrawChallenges,
} from "../../../../store/redis/second-step/challenges.ts";
import { readEpochs } from "../../../../store/redis/sessions/revocations.ts";
import { openSession } from "../../../../store/redis/sessions/sessions.ts";
import { NOW, newUser, twoClients } from "../clients.ts";

const [redis] = await twoClients();

test("a challenge that was never opened cannot be read or filled", async () => {
  for (const challengeId of ["", "*", newId(), newOwnedId(newId())]) {
    expect(await readChallenge(redis, challengeId)).toBeUndefined();
    expect(await storePasscode(redis, { challengeId, hash: "x", expiresAt: NOW + 1 })).toBe(false);
    expect(await readChallenge(redis, challengeId)).toBeUndefined();
  }
});

test("reads back what was opened, without its passcode", async () => {
  const user = newUser();
  const challengeId = newOwnedId(user.userId);
  const opened = {
    ...user,
    epochs: { user: 3, account: 1, accountKeys: 0 },
    expiresAt: NOW + 600_000,
  };
  await openChallenge(redis, { hasKey: false, challengeId, ...opened, now: NOW });
  expect(await storePasscode(redis, { challengeId, hash: "x", expiresAt: NOW + 1 })).toBe(true);
  const kept = { ...opened, hasKey: false, passcodeExpiresAt: NOW + 1, spent: false };
  expect(await readChallenge(redis, challengeId)).toEqual(kept);
});

test("withdrawing ends all open challenges of the user, also for right passcodes, and nobody else's", async () => {
  const user = newUser();
  const epochs = { user: 0, account: 0, accountKeys: 0 };
  const open = async (whose: typeof user, lifetimeMs = 600_000) => {
    const challengeId = newOwnedId(whose.userId);
    const expiresAt = NOW + lifetimeMs;
    await openChallenge(redis, {
      hasKey: false,
      challengeId,
      ...whose,
      epochs,
      expiresAt,
      now: NOW,
    });
    await storePasscode(redis, { challengeId, hash: "right", expiresAt });
    return challengeId;
  };
  const outcome = async (challengeId: string, now: number) => {
    const attempt = {
      challengeId,
      now,
      passcodeHashes: ["right"],
      wrongAllowed: 6,
      requestsAllowed: 60,
    };
    return (await checkPasscode(redis, attempt)).outcome;
  };
  const opened = [await open(user), await open(user)];
  const completed = await open(user);
  const expired = await open(user, 1_000);
  const other = await open(newUser());
  await openSession(redis, {
    ...user,
    username: "somebody",
    role: "member",
    scope: "full",
    amr: ["pwd", "sms", "mfa"],
    epochs,
    now: NOW,
    lifetimeMs: 600_000,
    challenge: { id: completed, wrongAllowed: 6 },
  });

  const now = NOW + 5_000;
  const withdrawn = await withdrawChallenges(redis, user.userId, now);
  expect(withdrawn).toEqual(expect.arrayContaining(opened));
  expect(withdrawn).not.toContain(expired);
  for (const challengeId of opened) expect(await outcome(challengeId, now)).toBe("expired");
  expect(await outcome(completed, now)).toBe("completed");
  expect(await outcome(other, now)).toBe("accepted");
  expect(await withdrawChallenges(redis, user.userId, now)).toEqual(withdrawn);
});

test("a login that read the devices before they were removed opens no challenge for them", async () => {
  const user = newUser();
  const before = await readEpochs(redis, user.userId, user.accountId);
  await withdrawChallenges(redis, user.userId, NOW);
  const open = async (epochs: typeof before) =>
    openChallenge(redis, {
      hasKey: false,
      ...{ ...user, challengeId: newOwnedId(user.userId), epochs },
      ...{ expiresAt: NOW + 60_000, now: NOW },
    });
  expect(await open(before)).toBe(false);
  expect(await listOpenChallenges(redis, user.userId, NOW)).toEqual([]);
  expect(await open(await readEpochs(redis, user.userId, user.accountId))).toBe(true);
  expect(await listOpenChallenges(redis, user.userId, NOW)).toHaveLength(1);
});
