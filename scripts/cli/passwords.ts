import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Limits } from "../../config.ts";
import { requireStrong } from "../../core/users/password-rule.ts";

/** The option of commands that take a password. On the command line itself others could see it. */
export const PASSWORD_STDIN = [
  "--password-stdin",
  "read the password from standard input; without it, a password is created and printed once",
] as const;

/** The password from standard input, or a new one to be shown once. Throws the API's Problem. */
export async function newPassword(
  limits: Limits,
  username: string,
  { passwordStdin }: { passwordStdin?: boolean },
): Promise<{ password: string; generated?: string }> {
  if (!passwordStdin) {
    // Four characters hold three bytes.
    const bytes = Math.max(15, Math.ceil((limits.password.minLength * 3) / 4));
    const generated = randomBytes(bytes).toString("base64url");
    return { password: generated, generated };
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  requireStrong(limits, password, username);
  return { password };
}
