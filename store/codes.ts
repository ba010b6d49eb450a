import { createHmac, randomInt } from "node:crypto";
import type { Keyring, SealingKey } from "./sealing.ts";

/** A uniformly random code of that many digits, with leading zeros. */
export function newNumericCode(digits: number): string {
  return String(randomInt(10 ** digits)).padStart(digits, "0");
}

/**
 * The HMAC-SHA-256, in hex, of a short code together with its context, e.g. ("pin", deviceId,
 * code), under the first key. Keyed, because four to seven digits could be guessed from a plain
 * hash.
 */
export const hashCode = (codeKeys: Keyring, ...context: string[]): string =>
  hmacOf(firstOf(codeKeys), context);

/** What `hashCode` makes or has made of it: one hash for each key, the first key's first. */
export const hashesOf = (codeKeys: Keyring, ...context: string[]): string[] =>
  codeKeys.map((codeKey) => hmacOf(codeKey, context));

/**
 * As `hashCode`, for a record that stays for years: the key's id comes first, `<id>:<hash>`, so that
 * one can see which records still need an older key. A key without an id leaves the plain hash.
 */
export const hashToKeep = (codeKeys: Keyring, ...context: string[]): string =>
  kept(firstOf(codeKeys), context);

/**
 * The forms in which `hashToKeep` may have stored it, the one of today first. Each key's plain hash
 * is one of them, because the key may have had no id then.
 */
export const keptHashesOf = (codeKeys: Keyring, ...context: string[]): string[] =>
  codeKeys.flatMap((codeKey) => [...new Set([kept(codeKey, context), hmacOf(codeKey, context)])]);

function kept(codeKey: SealingKey, context: string[]): string {
  const hash = hmacOf(codeKey, context);
  return codeKey.id === "" ? hash : `${codeKey.id}:${hash}`;
}

function firstOf([first]: Keyring): SealingKey {
  if (!first) throw new Error("The keyring is empty");
  return first;
}

function hmacOf({ key }: SealingKey, context: string[]): string {
  const hmac = createHmac("sha256", key);
  for (const part of context) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    // The length comes first, so that ("a", "bc") and ("ab", "c") differ.
    hmac.update(length).update(bytes);
  }
  return hmac.digest("hex");
}
