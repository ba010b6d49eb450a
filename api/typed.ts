import { Problem } from "./problem.ts";

/**
 * What a person typed, as plain digits: full-width digits are read as such, spaces and hyphens
 * between them are dropped. Undefined where anything else was typed.
 */
export function readDigits(typed: string): string | undefined {
  const digits = typed.normalize("NFKC").replace(/[\s-]/g, "");
  return /^\d+$/.test(digits) ? digits : undefined;
}

/** The code of exactly so many digits; throws `invalid_request` at `path`, and nothing is counted. */
export function requireDigits(typed: string, length: number, path: string): string {
  const digits = readDigits(typed);
  if (digits?.length === length) return digits;
  const message = `Type the ${length} digits.`;
  throw new Problem("invalid_request", `The code has ${length} digits.`, {
    errors: [{ path, message }],
  });
}
