import { randomBytes } from "node:crypto";
import { plainText } from "./typed-text.ts";

/** Crockford's base 32: without I, L, O and U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 16;
const CANONICAL = /^[0-9A-HJKMNP-TV-Z]{16}$/;

/** New distinct recovery codes of 80 random bits each, grouped for reading: `XXXX-XXXX-XXXX-XXXX`. */
export function newRecoveryCodes(quantity: number): string[] {
  return Array.from({ length: quantity }, () => {
    // 256 is a multiple of 32, so the remainder is uniform.
    const letters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % 32]);
    return letters.join("").replace(/.{4}(?=.)/g, "$&-");
  });
}

/**
 * The normal form of a typed recovery code, for hashing and comparing: any case, any separators, O
 * is read as 0, I and L as 1. Undefined if the text cannot be a recovery code.
 */
export function normalizeRecoveryCode(text: string): string | undefined {
  const letters = plainText(text)
    .replace(/[\p{P} ]/gu, "")
    .toUpperCase()
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
  return CANONICAL.test(letters) ? letters : undefined;
}
