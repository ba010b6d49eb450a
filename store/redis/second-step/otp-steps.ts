import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/** A flow's claim on one time step of one device. */
export type OtpStep = { userId: string; deviceId: string; step: number; holder: string };

/** Whether this is the last step that was used. An earlier step may never have been used. */
export async function isLastOtpStep(
  redis: Redis,
  { userId, deviceId, step }: Omit<OtpStep, "holder">,
): Promise<boolean> {
  const last = await redis.hGet(keys.otpSteps(userId), deviceId);
  return last?.startsWith(`${step}:`) === true && !last.endsWith(":");
}

/** Uses up a device's step for its holder; false if that step or a later one was used before. */
export async function consumeOtpStep(redis: Redis, claim: OtpStep): Promise<boolean> {
  const { userId, deviceId, step, holder } = claim;
  return (await redis.takeOtpStep([keys.otpSteps(userId)], [deviceId, step, holder])) === 1;
}
