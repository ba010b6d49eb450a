import { domainToASCII } from "node:url";
import { z } from "zod";

/** RFC 5321 section 4.5.3.1, in octets: the part before the @, and the whole address. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_ADDRESS = 254;

/**
 * Characters that no domain name has before its conversion to ASCII: all of ASCII except letters,
 * digits, - and dots.
 */
const NO_DOMAIN = /[^\P{ASCII}0-9A-Za-z.-]/u;
/** Two or more labels; the last is not a number. */
const DOMAIN = /\.(?!\d+$)[^.]{2,}$/;
/**
 * RFC 5321 section 4.1.2: a Dot-string. Browsers also accept dots at the ends and next to each
 * other.
 */
const NO_DOT_STRING = /^\.|\.\.|\.@/;
const AROUND = /^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu;

/**
 * The normal form of a typed email address, as it is stored and written to; undefined if it is
 * none. The part before the @ stays as typed (RFC 5321 section 2.4). The domain is in lower case
 * and, if international, in ASCII (UTS 46, as browsers do it). Atoms are those of RFC 5322 by the
 * rule of HTML's `type=email`; quoted local parts and IP addresses are refused.
 */
export function readAddress(typed: string): string | undefined {
  const text = typed.replace(AROUND, "");
  const at = text.lastIndexOf("@");
  const domain = text.slice(at + 1);
  if (at < 0 || NO_DOMAIN.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  const address = `${text.slice(0, at)}@${ascii}`;
  const fits =
    z.regexes.html5Email.test(address) &&
    !NO_DOT_STRING.test(address) &&
    DOMAIN.test(ascii) &&
    at <= LONGEST_LOCAL_PART &&
    address.length <= LONGEST_ADDRESS;
  return fits ? address : undefined;
}

/**
 * The normal form of a text that is known to be an address. Throws a TypeError for any other text.
 */
export function normalizeAddress(address: string): string {
  const read = readAddress(address);
  if (read === undefined) throw new TypeError("Not an email address");
  return read;
}

/**
 * An address with all hidden except its first letter and its domain, as the audit trail shows it.
 */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}
