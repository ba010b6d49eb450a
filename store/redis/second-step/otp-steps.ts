import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/** A flow's claim on one time step of one device. */
export type OtpStep = { userId: string; deviceId: string; step: number; holder: string };

/** Whether the step is the last one that was used up: one before it may never have been. */
export async function isLastOtpStep(
  redis: Redis,
  { userId, deviceId, step }: Omit<OtpStep, "holder">,
): Promise<boolean> {
  const last = await redis.hGet(keys.otpSteps(userId), deviceId);
  return last?.startsWith(`${step}:`) === true && !last.endsWith(":");
}

/** Uses up the step of a device for its holder; false when it, or a later one, was used before. */
export async function consumeOtpStep(redis: Redis, claim: OtpStep): Promise<boolean> {
  const { userId, deviceId, step, holder } = claim;
  return (await redis.takeOtpStep([keys.otpSteps(userId)], [deviceId, step, holder])) === 1;
}
