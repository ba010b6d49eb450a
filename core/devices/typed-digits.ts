import { readDigits } from "../../store/typed-text.ts";
import { Problem } from "../problem.ts";

/**
 * The typed code of exactly `length` digits. Throws `invalid_request` at `path`, before any attempt
 * is counted.
 */
export function requireDigits(typed: string, length: number, path: string): string {
  const digits = readDigits(typed);
  if (digits?.length === length) return digits;
  const message = `Type the ${length} digits.`;
  throw new Problem("invalid_request", `The code has ${length} digits.`, {
    errors: [{ path, message }],
  });
}
