import { createHmac, randomInt } from "node:crypto";

/** A uniformly random code of that many digits, with leading zeros. */
export function newNumericCode(digits: number): string {
  return String(randomInt(10 ** digits)).padStart(digits, "0");
}

/**
 * The HMAC-SHA-256, in hex, of a short code together with its context, e.g. ("pin", deviceId,
 * code). Keyed, because four to seven digits could be guessed from a plain hash.
 */
export function hashCode(codeKey: Buffer, ...context: string[]): string {
  const hmac = createHmac("sha256", codeKey);
  for (const part of context) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    // The length comes first, so that ("a", "bc") and ("ab", "c") differ.
    hmac.update(length).update(bytes);
  }
  return hmac.digest("hex");
}
