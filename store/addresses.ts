import { domainToASCII } from "node:url";
import { z } from "zod";

/** RFC 5321 section 4.5.3.1, in octets: what stands before the @, and the whole. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_ADDRESS = 254;

/** What is in no domain's name before it is turned to ASCII: of ASCII all but letters, digits, - and dots. */
const NO_DOMAIN = /[^\P{ASCII}0-9A-Za-z.-]/u;
/** Two labels or more, of which the last one is no number. */
const DOMAIN = /\.(?!\d+$)[^.]{2,}$/;
/** RFC 5321 section 4.1.2: a Dot-string; browsers also take dots at the ends and side by side. */
const NO_DOT_STRING = /^\.|\.\.|\.@/;
const AROUND = /^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu;

/**
 * The one form of a typed e-mail address, as it is stored and written to; undefined for what is none.
 * What stands before the @ stays as its owner writes it (RFC 5321 section 2.4); the domain is in lower
 * case and, where it is international, in ASCII (UTS 46, as browsers do it). Atoms are those of RFC 5322
 * by the rule of HTML's `type=email`; quoted local parts and addresses of machines are not taken.
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

/** The one form of an address that has been found to be one. Throws a TypeError for any other text. */
export function normalizeAddress(address: string): string {
  const read = readAddress(address);
  if (read === undefined) throw new TypeError("This is no e-mail address");
  return read;
}

/** An address with all but its first letter and its domain hidden, as the audit tells it. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}
