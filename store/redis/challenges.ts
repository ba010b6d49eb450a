import { ownerOf } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep, keys } from "./keys.ts";
import type { Epochs } from "./revocations.ts";
import { script } from "./script.ts";

export type Challenge = {
  userId: string;
  accountId: string;
  /** As they were before the login looked at the user's devices. */
  epochs: Epochs;
  expiresAt: number;
  /** The session that the challenge became. */
  completedBy?: string;
};

export const challengeScripts = {
  openChallenge: script<null>(`
    redis.call('HSET', KEYS[1], unpack(ARGV, 2))
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
  `),
  replacePasscode: script<number>(`
    local expiresAt, completedBy = unpack(redis.call('HMGET', KEYS[1], 'expiresAt', 'completedBy'))
    if not expiresAt or completedBy then return 0 end
    redis.call('HSET', KEYS[1], 'passcodeHash', ARGV[1], 'passcodeExpiresAt', ARGV[2])
    return 1
  `),
};

/** Records a login challenge, whose id is an owned id of its user. */
export async function openChallenge(
  redis: Redis,
  challenge: Omit<Challenge, "completedBy"> & { challengeId: string },
): Promise<void> {
  const { challengeId, userId, accountId, epochs, expiresAt } = challenge;
  const fields = Object.entries({
    accountId,
    userEpoch: epochs.user,
    accountEpoch: epochs.account,
    expiresAt,
  });
  await redis.openChallenge(
    [keys.challenge(userId, challengeId)],
    [keep.challenge, ...fields.flat()],
  );
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
  const { accountId, userEpoch, accountEpoch, expiresAt, completedBy } = fields;
  if (!userId || !accountId) {
    return undefined;
  }
  return {
    userId,
    accountId,
    epochs: { user: Number(userEpoch), account: Number(accountEpoch) },
    expiresAt: Number(expiresAt),
    completedBy,
  };
}
