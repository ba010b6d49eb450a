import type { Redis } from "../connect.ts";
import { keep } from "../keys.ts";
import { script } from "../script.ts";

export const knownAddressScripts = {
  rememberAddress: script<null>(`
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    redis.call('DEL', KEYS[2])
  `),
  forgetAddresses: script<null>(`
    local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
    redis.call('DEL', KEYS[1])
    if not at then return end
    redis.call('ZADD', KEYS[1], at, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  `),
};

/**
 * Notes that an address was logged in from at `now`, which ends its failures; of each key's the newest
 * `most` are known.
 */
export async function rememberAddress(
  redis: Redis,
  { key, failures }: { key: string; failures: string },
  address: string,
  { now, most }: { now: number; most: number },
): Promise<void> {
  await redis.rememberAddress([key, failures], [now, address, most, keep.knownAddresses]);
}

/** Forgets every address of the key but this one, which is known after it only where it was before. */
export async function forgetAddresses(redis: Redis, key: string, but: string): Promise<void> {
  await redis.forgetAddresses([key], [but, keep.knownAddresses]);
}

/** Whether the address was logged in from in the `withinMs` before `now`. */
export async function isKnownAddress(
  redis: Redis,
  key: string,
  address: string,
  { now, withinMs }: { now: number; withinMs: number },
): Promise<boolean> {
  const at = await redis.zScore(key, address);
  return at !== null && now - at <= withinMs;
}
