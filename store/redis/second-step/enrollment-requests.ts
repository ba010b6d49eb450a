import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/**
 * Counts a request to a device's enrollment and answers how many there were. The count is kept for
 * `keepMs`, the longest that an enrollment lasts.
 */
export function countEnrollmentRequest(
  redis: Redis,
  { userId, deviceId, keepMs }: { userId: string; deviceId: string; keepMs: number },
): Promise<number> {
  return redis.countEnrollmentRequest([keys.enrollmentRequests(userId, deviceId)], [keepMs]);
}

/** Uncounts a request that led to nothing. */
export async function takeBackEnrollmentRequest(
  redis: Redis,
  { userId, deviceId }: { userId: string; deviceId: string },
): Promise<void> {
  await redis.decr(keys.enrollmentRequests(userId, deviceId));
}
