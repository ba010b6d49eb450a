import type { TypedFactor } from "../../machines/methods.ts";
import { hashesOf } from "../../store/codes.ts";
import { deviceLabel, listDevices } from "../../store/postgres/devices.ts";
import { lookUpRecoveryCode } from "../../store/postgres/recovery-codes.ts";
import { normalizeRecoveryCode } from "../../store/recovery-codes.ts";
import { type Attempt, checkPasscode } from "../../store/redis/second-step/attempts.ts";
import { readDigits } from "../../store/typed-text.ts";
import type { CoreDeps } from "../deps.ts";
import { recoveryHashes } from "../devices/recovery-codes.ts";
import { matchingStep, OTP_DIGITS } from "../devices/totp.ts";
import { Problem } from "../problem.ts";
import { challengeBounds, spendRequest } from "./challenges.ts";

/** The typed text in the forms that `checkPasscode` compares. */
export type Guess = {
  passcodeHashes?: string[];
  /** The user's apps that show this code now, each with its name. */
  otpMatches?: readonly OtpMatch[];
  recoveryHashes?: string[];
};

export type OtpMatch = { deviceId: string; step: number; device: string };

/**
 * Reads the typed text as what it could be: six digits of an app, seven of an SMS, or a recovery
 * code.
 */
export async function readGuess(
  deps: CoreDeps,
  challengeId: string,
  userId: string,
  typed: string,
): Promise<Guess> {
  const digits = readDigits(typed) ?? "";
  switch (typedMethod(deps, typed)) {
    case "sms":
      return { passcodeHashes: hashesOf(deps.config.CODE_KEY, "passcode", challengeId, digits) };
    case "otp":
      return { otpMatches: await matchesOf(deps, userId, digits) };
    case "recovery_code":
      return { recoveryHashes: recoveryHashes(deps, userId, typed) };
  }
  // There is nothing to judge, but it counts as a request.
  await spendRequest(deps, challengeId);
  const message = "Passcodes have 6 or 7 digits. Recovery codes have 16 letters and digits.";
  throw new Problem("invalid_request", message, { errors: [{ path: "passcode", message }] });
}

/** The user's apps that show these digits now. */
async function matchesOf(deps: CoreDeps, userId: string, digits: string): Promise<OtpMatch[]> {
  const devices = await listDevices(deps.db, userId);
  return devices
    .filter(({ type, verifiedAt }) => type === "otp" && verifiedAt)
    .flatMap((device) => {
      const step = matchingStep(deps, device, digits);
      return step === undefined ? [] : [{ deviceId: device.id, step, device: deviceLabel(device) }];
    });
}

/** Judges the guess, and counts a wrong one. */
export async function judge(
  { db, redis, clock, config }: CoreDeps,
  challengeId: string,
  userId: string,
  { recoveryHashes: hashes, ...guess }: Guess,
): Promise<Attempt> {
  const at = new Date(clock.now());
  const recoveryCode = hashes
    ? await lookUpRecoveryCode(db, { userId, hashes, challengeId, at })
    : undefined;
  return checkPasscode(redis, {
    challengeId,
    now: clock.now(),
    ...guess,
    recoveryCode,
    ...challengeBounds(config),
  });
}

/** The kind of factor that a typed text could be, by its form alone; undefined if it is none. */
export function typedMethod(
  { config }: Pick<CoreDeps, "config">,
  typed: string,
): TypedFactor | undefined {
  const { length } = readDigits(typed) ?? "";
  if (length === config.limits.passcode.digits) return "sms";
  if (length === OTP_DIGITS) return "otp";
  return normalizeRecoveryCode(typed) ? "recovery_code" : undefined;
}

/** The kind of factor that was typed. */
export function methodOf({ passcodeHashes, recoveryHashes: hashes }: Guess): TypedFactor {
  if (hashes !== undefined) return "recovery_code";
  return passcodeHashes === undefined ? "otp" : "sms";
}

/** The matching app code. If several apps show the same code, the one of the latest step. */
export const newestOf = ({ otpMatches = [] }: Guess): OtpMatch | undefined =>
  otpMatches.toSorted((a, b) => b.step - a.step)[0];
