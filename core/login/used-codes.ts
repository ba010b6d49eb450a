import type { Deps } from "../deps.ts";
import { codeUsed } from "../devices/totp.ts";
import { Problem } from "../problem.ts";

/** The refusal of a code that was right once, an app's or else a recovery code: `passcode_already_used`. */
export async function usedCode(
  deps: Deps,
  userId: string,
  app?: { deviceId: string; step: number },
): Promise<Problem> {
  if (!app) return recoveryCodeUsed();
  return codeUsed(deps, { userId, deviceId: app.deviceId, step: app.step });
}

/** The refusal of a recovery code that was used before: `passcode_already_used`. */
export const recoveryCodeUsed = (): Problem =>
  new Problem("passcode_already_used", "You have used this recovery code already. Take another.");
