const DIGIT = /\p{Nd}/u;

/** Every dash, the minus sign, and the long-vowel mark that Japanese keyboards type instead. */
const DASH = /[\p{Pd}\u2212\u30fc]/gu;

/**
 * Typed or pasted text in one alphabet: decimal digits of every script become ASCII digits, every
 * dash a hyphen, every space a blank. Invisible characters (bidi marks, zero-width and other format
 * characters) are removed. Compatibility forms, such as full-width letters, become plain (NFKC).
 */
export function plainText(typed: string): string {
  return typed
    .normalize("NFKC")
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
    .replace(DASH, "-")
    .replace(/[\p{Z}\s]/gu, " ")
    .trim();
}

/**
 * The digits of a typed text, ignoring dashes and spaces between them; undefined for any other
 * text.
 */
export function readDigits(typed: string): string | undefined {
  const digits = plainText(typed).replace(/[ -]/g, "");
  return /^[0-9]+$/.test(digits) ? digits : undefined;
}

/**
 * Unicode keeps the ten digits of a script in ascending order without a gap (its stability policy,
 * on Nd).
 */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) as number;
  let first = codePoint;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first--;
  return (codePoint - first) % 10;
}
