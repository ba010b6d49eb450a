import { generateSecret, verifySync } from "otplib";
import type { Device } from "../store/postgres/schema.ts";
import { unseal } from "../store/sealing.ts";
import type { Deps } from "./deps.ts";

/** RFC 6238 section 4.1: X, the time step, in seconds. */
const STEP_S = 30;
/** RFC 4226 section 4 R6: 160 bits are recommended. */
const SECRET_BYTES = 20;

export const OTP_DIGITS = 6;

/** A new secret in base32, as authenticator apps take it. */
export const newOtpSecret = () => generateSecret({ length: SECRET_BYTES });

/**
 * The `otpauth://` URI of a secret (Google Authenticator's Key URI Format). A colon parts issuer
 * and account in the label, some apps looking for it after decoding: neither may hold one.
 */
export function otpauthUri(issuer: string, account: string, secret: string): string {
  const [by, of] = [issuer, account].map((text) => encodeURIComponent(text.replaceAll(":", " ")));
  return `otpauth://totp/${by}:${of}?secret=${secret}&issuer=${by}&algorithm=SHA1&digits=${OTP_DIGITS}&period=${STEP_S}`;
}

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
