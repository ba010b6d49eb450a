import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { atMost, keep, keys } from "../keys.ts";
import type { TakenRequest } from "../scripts/challenges.ts";
import type { Epochs } from "../sessions/revocations.ts";

export type Challenge = {
  userId: string;
  accountId: string;
  /** Read before the login looked at the user's devices. */
  epochs: Epochs;
  expiresAt: number;
  /** From when on only a security key may complete the login; undefined if any factor may. */
  keyFrom?: number;
  /** Whether the user has a security key. If not, other factors lead to its set-up from then on. */
  hasKey: boolean;
  /** The session that the challenge became. */
  completedBy?: string;
  /** When the newest passcode expires; undefined if none was sent. */
  passcodeExpiresAt?: number;
  /** The challenge has used up its requests, or its flow accepts no more. */
  spent: boolean;
};

/**
 * Records a login challenge; its ID is an owned ID of its user. Answers false, and records nothing,
 * if the user's challenges were withdrawn since the epochs were read.
 */
export async function openChallenge(
  redis: Redis,
  challenge: Omit<Challenge, "completedBy" | "passcodeExpiresAt" | "spent"> & {
    challengeId: string;
    now: number;
    /** What the user's key is to sign, if the login begins with one. */
    nonce?: string;
  },
): Promise<boolean> {
  const { challengeId, userId, accountId, epochs, expiresAt, keyFrom, hasKey, nonce, now } =
    challenge;
  const fields = {
    accountId,
    userEpoch: epochs.user,
    accountEpoch: epochs.account,
    accountKeyEpoch: epochs.accountKeys,
    generation: epochs.generation ?? "",
    expiresAt,
    ...(keyFrom !== undefined && { keyFrom }),
    ...(hasKey && { hasKey: 1 }),
    ...(nonce !== undefined && { nonce }),
  };
  const opened = await redis.openChallenge(
    [keys.challenge(userId, challengeId), keys.challenges(userId), keys.userRevocation(userId)],
    [
      keep.challenge,
      now,
      challengeId,
      expiresAt,
      atMost.challenges,
      epochs.withdrawn ?? "",
      ...Object.entries(fields).flat(),
    ],
  );
  return opened === 1;
}

/**
 * Ends the user's open challenges at `now` and answers their IDs. A repeat, before they would have
 * expired, answers the same.
 */
export async function withdrawChallenges(
  redis: Redis,
  userId: string,
  now: number,
): Promise<string[]> {
  // First: after this, a login that has read the older devices opens no challenge.
  await redis.noteWithdrawal([keys.userRevocation(userId)], []);
  const ids = await redis.zRangeByScore(keys.challenges(userId), `(${now}`, "+inf");
  await Promise.all(
    ids.map((challengeId) => withdrawChallenge(redis, { userId, challengeId, now })),
  );
  return ids;
}

/** Ends one challenge at `now`. A challenge that became a session stays as it is. */
export async function withdrawChallenge(
  redis: Redis,
  { userId, challengeId, now }: { userId: string; challengeId: string; now: number },
): Promise<void> {
  await redis.withdrawChallenge([keys.challenge(userId, challengeId)], [now]);
}

/**
 * Counts a request to a challenge without an attempt, such as one for another message.
 * `judgePasscode` counts the requests with an attempt.
 */
export async function takeRequest(
  redis: Redis,
  { challengeId, now, allowed }: { challengeId: string; now: number; allowed: number },
): Promise<TakenRequest> {
  const userId = ownerOf(challengeId);
  if (!userId) {
    return "unknown";
  }
  return redis.takeRequest([keys.challenge(userId, challengeId)], [now, allowed]);
}

/** Ends a challenge whose flow accepts nothing more, as one request too many does. */
export async function spendChallenge(
  redis: Redis,
  { challengeId, now }: { challengeId: string; now: number },
): Promise<void> {
  await redis.spendChallenge([keys.challenge(ownerOf(challengeId) ?? "", challengeId)], [now]);
}

/**
 * Stores the newest passcode as its HMAC; the previous one stops working. False if the challenge is
 * gone or has ended.
 */
export async function storePasscode(
  redis: Redis,
  { challengeId, hash, expiresAt }: { challengeId: string; hash: string; expiresAt: number },
): Promise<boolean> {
  const userId = ownerOf(challengeId);
  return (
    userId !== undefined &&
    (await redis.replacePasscode([keys.challenge(userId, challengeId)], [hash, expiresAt])) === 1
  );
}

/** A challenge of the last day; undefined if there is none with this ID. */
export async function readChallenge(
  redis: Redis,
  challengeId: string,
): Promise<Challenge | undefined> {
  const userId = ownerOf(challengeId);
  const fields = userId ? await redis.hGetAll(keys.challenge(userId, challengeId)) : {};
  const { accountId, userEpoch, accountEpoch, expiresAt, completedBy, passcodeExpiresAt, spent } =
    fields;
  const generation = fields.generation || undefined;
  if (!userId || !accountId) {
    return undefined;
  }
  return {
    userId,
    accountId,
    epochs: {
      user: Number(userEpoch),
      account: Number(accountEpoch),
      accountKeys: Number(fields.accountKeyEpoch ?? 0),
      generation,
    },
    expiresAt: Number(expiresAt),
    keyFrom: fields.keyFrom === undefined ? undefined : Number(fields.keyFrom),
    hasKey: fields.hasKey !== undefined,
    completedBy,
    passcodeExpiresAt: passcodeExpiresAt === undefined ? undefined : Number(passcodeExpiresAt),
    spent: spent !== undefined,
  };
}

/** The user's challenges that can still be answered at `now`, with their IDs. */
export async function listOpenChallenges(
  redis: Redis,
  userId: string,
  now: number,
): Promise<(Challenge & { id: string })[]> {
  const ids = await redis.zRangeByScore(keys.challenges(userId), `(${now}`, "+inf");
  const found = await Promise.all(
    ids.map(async (id) => ({ id, challenge: await readChallenge(redis, id) })),
  );
  return found.flatMap(({ id, challenge }) =>
    challenge && !challenge.completedBy && challenge.expiresAt > now ? [{ id, ...challenge }] : [],
  );
}
