import type { Redis } from "./connect.ts";
import { keys } from "./keys.ts";
import { script } from "./script.ts";

/**
 * How often all sessions of a user, and those of an account without a second factor, were ended.
 * A login reads them before it looks at the user's devices; if one has moved when its session is
 * made or used, the login raced with a revocation and the session is dead. No clocks are compared.
 */
export type Epochs = { user: number; account: number };

/** The latest revocation; epoch 0 when there was none. */
export type Revocation = { epoch: number; reason: string };

/** Why sessions end, when (ms, for operators), and the fact behind it: one fact ends them once. */
type Mark = { reason: string; now: number; fact: string };

export const revocationScripts = {
  revoke: script<null>(`
    if redis.call('HGET', KEYS[1], 'fact') == ARGV[3] then return end
    redis.call('HSET', KEYS[1], 'reason', ARGV[1], 'at', ARGV[2], 'fact', ARGV[3])
    redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  `),
};

export async function readEpochs(redis: Redis, userId: string, accountId: string): Promise<Epochs> {
  const [user, account] = await Promise.all([
    redis.hGet(keys.userRevocation(userId), "epoch"),
    redis.hGet(keys.accountRevocation(accountId), "epoch"),
  ]);
  return { user: Number(user ?? 0), account: Number(account ?? 0) };
}

/** Ends every session of the user, and every login under way; for the same fact again, nothing. */
export async function revokeUser(redis: Redis, userId: string, mark: Mark): Promise<void> {
  await redis.revoke([keys.userRevocation(userId)], [mark.reason, mark.now, mark.fact]);
}

/**
 * Ends every session of the account that has no second factor, however many there are; for the
 * same fact again, nothing.
 */
export async function revokeAccount(redis: Redis, accountId: string, mark: Mark): Promise<void> {
  await redis.revoke([keys.accountRevocation(accountId)], [mark.reason, mark.now, mark.fact]);
}

export function readUserRevocation(redis: Redis, userId: string): Promise<Revocation> {
  return read(redis, keys.userRevocation(userId));
}

export function readAccountRevocation(redis: Redis, accountId: string): Promise<Revocation> {
  return read(redis, keys.accountRevocation(accountId));
}

async function read(redis: Redis, key: string): Promise<Revocation> {
  const { epoch = "0", reason = "" } = await redis.hGetAll(key);
  return { epoch: Number(epoch), reason };
}
