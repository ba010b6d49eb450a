import type { Factor } from "../../machines/methods.ts";
import { useRecoveryCode } from "../../store/postgres/recovery-codes.ts";
import type { CoreDeps } from "../deps.ts";
import { codeUsed } from "../devices/totp.ts";
import { Problem } from "../problem.ts";
import type { Guess } from "./guesses.ts";

/**
 * The refusal of a code that was used before, an app's code or a recovery code:
 * `passcode_already_used`.
 */
export async function usedCode(
  deps: CoreDeps,
  userId: string,
  app?: { deviceId: string; step: number },
): Promise<Problem> {
  if (!app) return recoveryCodeUsed();
  return codeUsed(deps, { userId, deviceId: app.deviceId, step: app.step });
}

/** The refusal of a recovery code that was used before: `passcode_already_used`. */
const recoveryCodeUsed = (): Problem =>
  new Problem(
    "passcode_already_used",
    "You have already used this recovery code. Use another one.",
  );

/**
 * Marks a recovery code as used, and answers how many are left; undefined if the guess is no
 * recovery code. Throws `passcode_already_used` if another request used the code first.
 */
export async function spendRecoveryCode(
  { db, clock }: CoreDeps,
  challengeId: string,
  userId: string,
  { recoveryHash: hash }: Guess,
  { factor }: { factor: Factor },
): Promise<number | undefined> {
  if (factor !== "recovery_code" || !hash) return undefined;
  const spent = await useRecoveryCode(db, { userId, hash, challengeId, at: new Date(clock.now()) });
  if (!spent) throw recoveryCodeUsed();
  return spent.remaining;
}
