import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { SetUpError } from "../progress.ts";

const SHORTEST = 8;
const LONGEST = 256;

/** The option of commands that take a password; never on the command line, where others see it. */
export const PASSWORD_STDIN = [
  "--password-stdin",
  "read the password from standard input; without it one is made and printed once",
] as const;

/** The password from standard input, or a new one to be shown once. Throws a SetUpError. */
export async function newPassword({
  passwordStdin,
}: {
  passwordStdin?: boolean;
}): Promise<{ password: string; generated?: string }> {
  if (!passwordStdin) {
    const generated = randomBytes(15).toString("base64url");
    return { password: generated, generated };
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, "");
  const length = [...password].length;
  if (length < SHORTEST || length > LONGEST)
    throw new SetUpError(`A password has ${SHORTEST} to ${LONGEST} characters.`);
  return { password };
}
