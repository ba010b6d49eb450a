import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

type SetUp = { userId: string; deviceId: string };

/** Stores for `forMs` which session started the set-up of a device. */
export async function noteSetUp(
  redis: Redis,
  { userId, deviceId }: SetUp,
  sessionId: string,
  forMs: number,
): Promise<void> {
  const expiration = { type: "PX", value: forMs } as const;
  await redis.set(keys.setUp(userId, deviceId), sessionId, { expiration });
}

/** Whether this session started the set-up of the device, as long as that is stored. */
export async function beganSetUp(
  redis: Redis,
  { userId, deviceId }: SetUp,
  sessionId: string,
): Promise<boolean> {
  return (await redis.get(keys.setUp(userId, deviceId))) === sessionId;
}

/** For how many more ms it is stored which session started the set-up. */
export async function setUpStoredFor(redis: Redis, { userId, deviceId }: SetUp): Promise<number> {
  return Math.max(0, await redis.pTTL(keys.setUp(userId, deviceId)));
}
