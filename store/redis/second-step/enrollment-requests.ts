import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/** Counts a request to the enrollment of a device for as long as it may last, in ms; answers how many there were. */
export function countEnrollmentRequest(
  redis: Redis,
  { userId, deviceId, keepMs }: { userId: string; deviceId: string; keepMs: number },
): Promise<number> {
  return redis.countEnrollmentRequest([keys.enrollmentRequests(userId, deviceId)], [keepMs]);
}

/** Takes back a request that was counted and led to nothing. */
export async function takeBackEnrollmentRequest(
  redis: Redis,
  { userId, deviceId }: { userId: string; deviceId: string },
): Promise<void> {
  await redis.decr(keys.enrollmentRequests(userId, deviceId));
}
