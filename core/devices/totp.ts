import { generateSecret, verifySync } from "otplib";
import type { Device } from "../../store/postgres/schema.ts";
import { isLastOtpStep } from "../../store/redis/second-step/otp-steps.ts";
import { unseal } from "../../store/sealing.ts";
import type { Deps } from "../deps.ts";
import { Problem } from "../problem.ts";

/** RFC 6238 section 4.1: X, the time step, in seconds. */
const STEP_S = 30;
/** RFC 4226 section 4 R6: 160 bits are recommended. */
const SECRET_BYTES = 20;

export const OTP_DIGITS = 6;

/** Seconds until an app shows the code of the step after this one; none where it shows it by now. */
function secondsUntilAfter({ clock }: Pick<Deps, "clock">, step: number): number {
  return Math.max(0, Math.ceil((step + 1) * STEP_S - clock.now() / 1000));
}

/** The refusal of a code that was used, or is older than one that was; it costs no attempt. */
export async function codeUsed(
  deps: Pick<Deps, "clock" | "redis">,
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

/** A new secret in base32, as authenticator apps take it. */
export const newOtpSecret = () => generateSecret({ length: SECRET_BYTES });

/** What an authenticator app shows beside a code. */
type OtpLabel = { issuer: string; username: string; device: string };

/** Code points of a user name and of a nickname in a label: the whole URI must fit into a QR code. */
const LABEL = { username: 64, device: 32 };

/**
 * The `otpauth://` URI of a secret (Google Authenticator's Key URI Format), labelled
 * `Service:alice (My phone)`: the app names its entry after the nickname. A colon parts issuer and
 * account in the label, some apps looking for it after decoding: no part may hold one.
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
 * The time step whose code was typed for the device, or undefined. RFC 6238 section 5.2: one step
 * of clock skew either way is accepted; that each step is good once is for Redis to hold.
 */
export const matchingStep = (deps: Pick<Deps, "clock" | "config">, device: Device, token: string) =>
  stepWithin(STEP_S, deps, device, token);

/** How far a clock may be off for its owner to be told by how much. */
const CLOCK_OFF_S = 600;

/**
 * By how many minutes the clock behind a wrong code is off; undefined where no clock within ten
 * minutes shows it. For the set-up alone, where it tells a guesser nothing: whoever sets up has the
 * secret.
 */
export function minutesOff(
  deps: Pick<Deps, "clock" | "config">,
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
  { clock, config }: Pick<Deps, "clock" | "config">,
  device: Device,
  token: string,
): number | undefined {
  if (!device.secret) return undefined;
  const secret = unseal(config.SEALING_KEYS, device.secret, device.id).toString();
  const epoch = Math.floor(clock.now() / 1000);
  const result = verifySync({ secret, token, epoch, epochTolerance: [toleranceS, toleranceS] });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}
