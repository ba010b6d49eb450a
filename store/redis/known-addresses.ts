import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";
import { script } from "./script.ts";

export const knownAddressScripts = {
  rememberAddress: script<null>(`
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  `),
};

/** Notes that an address was logged in from at `now`; of each key's the newest `most` are known. */
export async function rememberAddress(
  redis: Redis,
  key: string,
  address: string,
  { now, most }: { now: number; most: number },
): Promise<void> {
  await redis.rememberAddress([key], [now, address, most, keep.knownAddresses]);
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
