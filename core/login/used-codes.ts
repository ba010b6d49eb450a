import type { CoreDeps } from "../deps.ts";
import { recoveryCodeUsed } from "../devices/recovery-codes.ts";
import { codeUsed } from "../devices/totp.ts";
import type { Problem } from "../problem.ts";

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
