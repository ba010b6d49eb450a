import { generateSecret, verifySync } from "otplib";
import type { Device } from "../../store/postgres/schema.ts";
import { isLastOtpStep } from "../../store/redis/second-step/otp-steps.ts";
import { unseal } from "../../store/sealing.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/** RFC 6238 section 4.1: X, the time step, in seconds. */
const STEP_S = 30;
/** RFC 4226 section 4 R6: 160 bits are recommended. */
const SECRET_BYTES = 20;

export const OTP_DIGITS = 6;

/** Seconds until an app shows the code of the next step; 0 if it shows it already. */
function secondsUntilAfter({ clock }: Pick<CoreDeps, "clock">, step: number): number {
  return Math.max(0, Math.ceil((step + 1) * STEP_S - clock.now() / 1000));
}

/** The refusal of a code that was used, or that is older than a used one. It costs no attempt. */
export async function codeUsed(
  deps: Pick<CoreDeps, "clock" | "redis">,
  used: { userId: string; deviceId: string; step: number },
): Promise<Problem> {
  const { step } = used;
  const secondsUntilNext = secondsUntilAfter(deps, step);
  const unit = secondsUntilNext === 1 ? "second" : "seconds";
  const next = secondsUntilNext
    ? `Wait for the next one (${secondsUntilNext} ${unit}).`
    : "Type the one that your app shows now.";
  const why = (await isLastOtpStep(deps.redis, used))
    ? "You have used this code already."
    : "This code is no longer valid.";
  return new Problem("passcode_already_used", `${why} ${next}`, {
    members: { secondsUntilNext },
  });
}

/** A new secret in base32, the form that authenticator apps accept. */
export const newOtpSecret = () => generateSecret({ length: SECRET_BYTES });

/** What an authenticator app shows beside a code. */
type OtpLabel = { issuer: string; username: string; device: string };

/**
 * The most code points of a user name and of a nickname in a label: the whole URI must fit into a
 * QR code.
 */
const LABEL = { username: 64, device: 32 };

/**
 * The `otpauth://` URI of a secret (Google Authenticator's Key URI Format). Its label is
 * `Service:alice (My phone)`, so that the app's entry shows the nickname. A colon separates issuer
 * and account. Some apps look for it after decoding, so neither part may contain one.
 */
export function otpauthUri({ issuer, username, device }: OtpLabel, secret: string): string {
  const account = `${cut(username, LABEL.username)} (${cut(device, LABEL.device)})`;
  const [by, of] = [issuer, account].map((text) => encodeURIComponent(text.replaceAll(":", " ")));
  return `otpauth://totp/${by}:${of}?secret=${secret}&issuer=${by}&algorithm=SHA1&digits=${OTP_DIGITS}&period=${STEP_S}`;
}

function cut(text: string, most: number): string {
  const points = [...text];
  return points.length > most ? `${points.slice(0, most - 1).join("")}…` : text;
}

/**
 * The time step of the typed code for the device, or undefined. RFC 6238 section 5.2: accepts one
 * step of clock skew in either direction. Redis makes sure that each step is used only once.
 */
export const matchingStep = (
  deps: Pick<CoreDeps, "clock" | "config">,
  device: Device,
  token: string,
) => stepWithin(STEP_S, deps, device, token);

/** The largest clock error, in seconds, that the owner is told about. */
const CLOCK_OFF_S = 600;

/**
 * By how many minutes the clock that made a wrong code is off. Undefined if no clock within ten
 * minutes shows that code. Only for the set-up, where it tells an attacker nothing new: whoever
 * sets up the app has the secret.
 */
export function minutesOff(
  deps: Pick<CoreDeps, "clock" | "config">,
  device: Device,
  token: string,
): number | undefined {
  const step = stepWithin(CLOCK_OFF_S, deps, device, token);
  if (step === undefined) return undefined;
  const offS = Math.abs(step * STEP_S - deps.clock.now() / 1000);
  return Math.max(1, Math.round(offS / 60));
}

function stepWithin(
  toleranceS: number,
  { clock, config }: Pick<CoreDeps, "clock" | "config">,
  device: Device,
  token: string,
): number | undefined {
  if (!device.secret) return undefined;
  const secret = unseal(config.SEALING_KEYS, device.secret, device.id).toString();
  const epoch = Math.floor(clock.now() / 1000);
  const result = verifySync({ secret, token, epoch, epochTolerance: [toleranceS, toleranceS] });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}
