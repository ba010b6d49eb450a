import type { Redis } from "../connect.ts";
import { keep } from "../keys.ts";

/**
 * Records a login from an address at `now`, which resets the address's failures. Each key keeps its
 * newest `most` addresses.
 */
export async function rememberAddress(
  redis: Redis,
  { key, failures }: { key: string; failures: string },
  address: string,
  { now, most }: { now: number; most: number },
): Promise<void> {
  await redis.rememberAddress([key, failures], [now, address, most, keep.knownAddresses]);
}

/** Forgets every address of the key except `but`, which stays known only if it was known before. */
export async function forgetAddresses(redis: Redis, key: string, but: string): Promise<void> {
  await redis.forgetAddresses([key], [but, keep.knownAddresses]);
}

/** Whether there was a login from the address in the `withinMs` before `now`. */
export async function isKnownAddress(
  redis: Redis,
  key: string,
  address: string,
  { now, withinMs }: { now: number; withinMs: number },
): Promise<boolean> {
  const at = await redis.zScore(key, address);
  return at !== null && now - at <= withinMs;
}
