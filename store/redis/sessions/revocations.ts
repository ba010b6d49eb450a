import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";
import { readGeneration } from "./generation.ts";

/**
 * How often all sessions of a user, and all of an account without a second factor or without a
 * security key, were ended. A login reads these epochs before it looks at the user's devices. If one
 * has changed when its session is opened or used, a revocation came in between, and the session is
 * not live. No clocks are compared.
 */
export type Epochs = {
  user: number;
  account: number;
  /** How often all sessions of the account without a security key were ended. */
  accountKeys: number;
  /** How often the user's open challenges were withdrawn; set only in the first step of a login. */
  withdrawn?: number;
  /** Of Redis, when the login began; "" for the first one. */
  generation?: string;
};

/** What an account's requirement asks of a session: any second factor, or a security key. */
export type Enforced = "second_factor" | "key";

/** The latest revocation; epoch 0 if there was none. */
export type Revocation = {
  epoch: number;
  reason: string;
  /** Only for an account: of its sessions without a security key. */
  keyEpoch: number;
  /** Only for an account: the end of its policy's grace period, in epoch ms, and what it asks. */
  enforceAfter?: number;
  enforces?: Enforced;
};

/**
 * Why sessions end, when (ms, for operators), and the fact that caused it. The same fact ends them
 * only once.
 */
type Mark = { reason: string; now: number; fact: string };

export async function readEpochs(redis: Redis, userId: string, accountId: string): Promise<Epochs> {
  const [user, account, generation] = await Promise.all([
    redis.hmGet(keys.userRevocation(userId), ["epoch", "withdrawn"]),
    redis.hmGet(keys.accountRevocation(accountId), ["epoch", "keyEpoch"]),
    readGeneration(redis),
  ]);
  const [epoch = 0, withdrawn] = user.map((count) => Number(count ?? 0));
  const [ofAccount = 0, accountKeys = 0] = account.map((count) => Number(count ?? 0));
  return { user: epoch, account: ofAccount, accountKeys, withdrawn, generation };
}

/**
 * Ends every session of the user, and every login under way. Repeating the same fact does nothing.
 */
export async function revokeUser(redis: Redis, userId: string, mark: Mark): Promise<void> {
  await redis.revoke([keys.userRevocation(userId)], [mark.reason, mark.now, mark.fact, "epoch"]);
}

/**
 * Ends every session of the account without a second factor, or without a security key, however
 * many there are. Repeating the same fact does nothing.
 */
export async function revokeAccount(
  redis: Redis,
  accountId: string,
  mark: Mark,
  without: Enforced = "second_factor",
): Promise<void> {
  const epoch = without === "key" ? "keyEpoch" : "epoch";
  const { reason, now, fact } = mark;
  await redis.revoke([keys.accountRevocation(accountId)], [reason, now, fact, epoch]);
}

/**
 * Stores when the grace period of this version of an account's policy ends (epoch ms), or that it
 * has none. From then on, older sessions without what it asks are over, even if no worker runs.
 * Repeating it, or storing an older version, changes nothing.
 */
export async function scheduleEnforcement(
  redis: Redis,
  accountId: string,
  {
    version,
    enforceAfter,
    enforces,
  }: { version: number; enforceAfter: number | null; enforces: Enforced },
): Promise<void> {
  await redis.scheduleEnforcement(
    [keys.accountRevocation(accountId)],
    [version, enforceAfter ?? "", enforces],
  );
}

export function readUserRevocation(redis: Redis, userId: string): Promise<Revocation> {
  return read(redis, keys.userRevocation(userId));
}

export function readAccountRevocation(redis: Redis, accountId: string): Promise<Revocation> {
  return read(redis, keys.accountRevocation(accountId));
}

async function read(redis: Redis, key: string): Promise<Revocation> {
  const fields = await redis.hGetAll(key);
  const { epoch = "0", keyEpoch = "0", reason = "", enforceAfter } = fields;
  const enforces: Enforced = fields.enforces === "key" ? "key" : "second_factor";
  return {
    epoch: Number(epoch),
    keyEpoch: Number(keyEpoch),
    reason,
    ...(enforceAfter !== undefined && { enforceAfter: Number(enforceAfter), enforces }),
  };
}
