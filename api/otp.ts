import { verifySync } from "otplib";
import type { Device } from "../store/postgres/schema.ts";
import { unseal } from "../store/sealing.ts";
import type { Deps } from "./deps.ts";

/** RFC 6238 section 4.1: X, the time step, in seconds. */
const STEP_S = 30;

/**
 * The time step whose code was typed for the device, or undefined. RFC 6238 section 5.2: one step
 * of clock skew either way is accepted; that each step is good once is for Redis to hold.
 */
export function matchingStep(
  { clock, config }: Pick<Deps, "clock" | "config">,
  device: Device,
  token: string,
): number | undefined {
  if (!device.secret) return undefined;
  const secret = unseal(config.SEALING_KEYS, device.secret, device.id).toString();
  const epoch = Math.floor(clock.now() / 1000);
  const result = verifySync({ secret, token, epoch, epochTolerance: [STEP_S, STEP_S] });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}
