import commonPasswords from "fxa-common-password-list";
import type { Limits } from "../../config.ts";
import { normalizeUsername } from "../../store/postgres/users.ts";
import { Problem } from "../problem.ts";

/**
 * Longer passwords are not hashed. NIST SP 800-63B-4 section 3.1.1.2 requires that at least 64 are
 * allowed.
 */
export const LONGEST_PASSWORD = 256;

/** What users are told about a longer password. */
export const TOO_LONG = `A password can have at most ${LONGEST_PASSWORD} characters.`;

/** The rule of a new password's length. */
export const lengthRule = ({ password }: Limits) => `at least ${password.minLength} characters`;

/**
 * Throws `invalid_request` for a password that is too short, too long, the user name (once or
 * repeated), or one of the 50,000 most common ones (of at least 8 characters, in any case). NIST SP
 * 800-63B-4 section 3.1.1.2: the whole password is compared, and a code point is a character. It
 * asks for 8 characters if the password is one of two factors, and for 15 if it is the only one.
 */
export function requireStrong(limits: Limits, password: string, username: string) {
  const refuse = (message: string) =>
    new Problem("invalid_request", message, { errors: [{ path: "password", message }] });
  if ([...password.normalize("NFC")].length < limits.password.minLength)
    throw refuse(`A password must have ${lengthRule(limits)}.`);
  if (password.length > LONGEST_PASSWORD) throw refuse(TOO_LONG);
  if (normalizeUsername(password).replaceAll(normalizeUsername(username), "") === "")
    throw refuse("The password cannot be your user name, nor your user name repeated.");
  if (commonPasswords.test(password.toLowerCase()))
    throw refuse("This password is too common. Choose another.");
}
