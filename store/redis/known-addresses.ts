import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";

/** Notes that an address (a key of `keys.knownAddress`) was logged in from at `now`. */
export async function rememberAddress(redis: Redis, key: string, now: number): Promise<void> {
  const expiration = { type: "PX", value: keep.knownAddress } as const;
  await redis.set(key, now, { expiration });
}

/** Whether the address was logged in from in the `withinMs` before `now`. */
export async function isKnownAddress(
  redis: Redis,
  key: string,
  { now, withinMs }: { now: number; withinMs: number },
): Promise<boolean> {
  const at = await redis.get(key);
  return at !== null && now - Number(at) <= withinMs;
}
