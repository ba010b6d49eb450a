const DIGIT = /\p{Nd}/u;

/** Every dash, the minus sign, and the long-vowel mark that Japanese keyboards type for one. */
const DASH = /[\p{Pd}\u2212\u30fc]/gu;

/**
 * Text as people type or paste it, in one alphabet: the decimal digits of every script are ASCII's,
 * every dash is a hyphen, every space a blank, and what is not seen (bidi marks, zero-width and other
 * format characters) is gone. Compatibility forms, such as full-width letters, are plain (NFKC).
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

/** The digits of what was typed, whatever dashes and spaces stand between them; undefined for anything else. */
export function readDigits(typed: string): string | undefined {
  const digits = plainText(typed).replace(/[ -]/g, "");
  return /^[0-9]+$/.test(digits) ? digits : undefined;
}

/** Unicode keeps the ten digits of a script in ascending order without a gap (its stability policy, on Nd). */
function digitValue(digit: string): number {
  const codePoint = digit.codePointAt(0) as number;
  let first = codePoint;
  while (DIGIT.test(String.fromCodePoint(first - 1))) first--;
  return (codePoint - first) % 10;
}
