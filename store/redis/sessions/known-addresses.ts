import type { Redis } from "../connect.ts";
import { keep } from "../keys.ts";

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
