import { ownerOf } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { atMost, keep, keys } from "../keys.ts";
import { dropExcess, script } from "../script.ts";
import type { Epochs } from "../sessions/revocations.ts";

export type Challenge = {
  userId: string;
  accountId: string;
  /** As they were before the login looked at the user's devices. */
  epochs: Epochs;
  expiresAt: number;
  /** The session that the challenge became. */
  completedBy?: string;
  /** Until when the newest passcode is good; none where no passcode was sent. */
  passcodeExpiresAt?: number;
  /** It took as many requests as it may, or its flow takes none any more. */
  spent: boolean;
};

/** What a request to a challenge comes to before anything else is looked at. */
export type TakenRequest = "taken" | "unknown" | "completed" | "expired" | "just_spent" | "spent";

/** Counts a request to an open challenge. One too many ends it: nothing more is looked at. */
export const COUNT_REQUEST = `
  local function spendChallenge(challenge, now)
    if redis.call('HSETNX', challenge, 'spent', '1') == 0 then return 'spent' end
    redis.call('HSET', challenge, 'expiresAt', now)
    redis.call('HDEL', challenge, 'passcodeHash', 'passcodeExpiresAt')
    return 'just_spent'
  end
  local function countRequest(challenge, now, expiresAt, allowed)
    if redis.call('HEXISTS', challenge, 'spent') == 1 then return 'spent' end
    if now >= tonumber(expiresAt) then return 'expired' end
    if redis.call('HINCRBY', challenge, 'requests', 1) <= allowed then return 'taken' end
    return spendChallenge(challenge, string.format('%.0f', now))
  end
`;

export const challengeScripts = {
  // Devices that the login saw may be gone: then nothing of theirs is opened.
  openChallenge: script<number>(`
    local challenge, index, revocation = unpack(KEYS)
    local stay, now, id, expiresAt, most, withdrawn = unpack(ARGV)
    if withdrawn ~= '' and (redis.call('HGET', revocation, 'withdrawn') or '0') ~= withdrawn then
      return 0
    end
    redis.call('HSET', challenge, unpack(ARGV, 7))
    redis.call('PEXPIRE', challenge, stay)
    redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
    redis.call('ZADD', index, expiresAt, id)
    ${dropExcess("challenge", "id", "most")}
    redis.call('PEXPIRE', index, stay)
    return 1
  `),
  noteWithdrawal: script<null>(`redis.call('HINCRBY', KEYS[1], 'withdrawn', 1)`),
  // A challenge that became a session stays as it is.
  withdrawChallenge: script<null>(`
    if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'completedBy') == 1 then
      return
    end
    redis.call('HSET', KEYS[1], 'expiresAt', ARGV[1])
    redis.call('HDEL', KEYS[1], 'passcodeHash', 'passcodeExpiresAt')
  `),
  takeRequest: script<TakenRequest>(`
    ${COUNT_REQUEST}
    local expiresAt, completedBy = unpack(redis.call('HMGET', KEYS[1], 'expiresAt', 'completedBy'))
    if not expiresAt then return 'unknown' end
    if completedBy then return 'completed' end
    return countRequest(KEYS[1], tonumber(ARGV[1]), expiresAt, tonumber(ARGV[2]))
  `),
  spendChallenge: script<TakenRequest>(`
    ${COUNT_REQUEST}
    if redis.call('EXISTS', KEYS[1]) == 0 then return 'unknown' end
    if redis.call('HEXISTS', KEYS[1], 'completedBy') == 1 then return 'completed' end
    return spendChallenge(KEYS[1], ARGV[1])
  `),
  replacePasscode: script<number>(`
    local expiresAt, completedBy, former =
      unpack(redis.call('HMGET', KEYS[1], 'expiresAt', 'completedBy', 'passcodeHash'))
    if not expiresAt or completedBy then return 0 end
    if former then redis.call('HSET', KEYS[1], 'formerHash', former) end
    redis.call('HSET', KEYS[1], 'passcodeHash', ARGV[1], 'passcodeExpiresAt', ARGV[2])
    return 1
  `),
};

/**
 * Records a login challenge, whose id is an owned id of its user. False, with nothing recorded, where
 * the user's challenges were withdrawn since the epochs were read.
 */
export async function openChallenge(
  redis: Redis,
  challenge: Omit<Challenge, "completedBy" | "passcodeExpiresAt" | "spent"> & {
    challengeId: string;
    now: number;
  },
): Promise<boolean> {
  const { challengeId, userId, accountId, epochs, expiresAt, now } = challenge;
  const fields = { accountId, userEpoch: epochs.user, accountEpoch: epochs.account, expiresAt };
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
 * Ends the user's open challenges at `now` and answers their ids; the same again when it is
 * repeated before they would have expired.
 */
export async function withdrawChallenges(
  redis: Redis,
  userId: string,
  now: number,
): Promise<string[]> {
  // First: a login that looks at the devices as they were opens none after this.
  await redis.noteWithdrawal([keys.userRevocation(userId)], []);
  const ids = await redis.zRangeByScore(keys.challenges(userId), `(${now}`, "+inf");
  await Promise.all(
    ids.map((challengeId) => withdrawChallenge(redis, { userId, challengeId, now })),
  );
  return ids;
}

/** Ends one challenge at `now`; one that became a session stays as it is. */
export async function withdrawChallenge(
  redis: Redis,
  { userId, challengeId, now }: { userId: string; challengeId: string; now: number },
): Promise<void> {
  await redis.withdrawChallenge([keys.challenge(userId, challengeId)], [now]);
}

/**
 * Counts a request to a challenge that has no attempt in it, such as another message; the judge of
 * attempts counts its own.
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

/** Ends a challenge whose flow takes nothing more, as one request too many does. */
export async function spendChallenge(
  redis: Redis,
  { challengeId, now }: { challengeId: string; now: number },
): Promise<void> {
  await redis.spendChallenge([keys.challenge(ownerOf(challengeId) ?? "", challengeId)], [now]);
}

/** Keeps the newest passcode (as its HMAC); the one before is void. False when the challenge is gone or over. */
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

/** A challenge of the last day; undefined when there is none of this id. */
export async function readChallenge(
  redis: Redis,
  challengeId: string,
): Promise<Challenge | undefined> {
  const userId = ownerOf(challengeId);
  const fields = userId ? await redis.hGetAll(keys.challenge(userId, challengeId)) : {};
  const { accountId, userEpoch, accountEpoch, expiresAt, completedBy, passcodeExpiresAt, spent } =
    fields;
  if (!userId || !accountId) {
    return undefined;
  }
  return {
    userId,
    accountId,
    epochs: { user: Number(userEpoch), account: Number(accountEpoch) },
    expiresAt: Number(expiresAt),
    completedBy,
    passcodeExpiresAt: passcodeExpiresAt === undefined ? undefined : Number(passcodeExpiresAt),
    spent: spent !== undefined,
  };
}

/** The user's challenges that can still be answered at `now`, with their ids. */
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
