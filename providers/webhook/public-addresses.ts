import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { promisify } from "node:util";
import ipaddr from "ipaddr.js";

/** Of IPv6 only global unicast is outside (RFC 4291 section 2.4). */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Whether the IP address is one of the public internet; false for any other text. Outside is what the
 * IANA Special-Purpose Address Registries do not name: an address that holds another one inside
 * (IPv4-mapped, NAT64, 6to4, Teredo) is never outside.
 */
export function isPublicAddress(text: string): boolean {
  if (!isIP(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || address.match(GLOBAL_UNICAST);
}

/** A URL's host as `lookup` and `isIP` take it. */
export const bareHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, "");

/** RFC 6761 section 6.3: these are loopback, whatever DNS knows of them. */
const LOCALHOST = /(^|\.)localhost\.?$/i;

/** How names become addresses: as `dns.lookup` does it, with `all`. */
export type Resolve = typeof lookUp;

/** Whether the host is a name that DNS is asked for. */
export const isName = (host: string) => !isIP(host) && !LOCALHOST.test(host);

/** Whether the host is, or has by DNS right now, an address inside; false where DNS knows nothing. */
export async function isInside(host: string, resolve: Resolve = lookUp): Promise<boolean> {
  if (!isName(host)) return !isPublicAddress(host);
  const addresses = await promisify(resolve)(host, { all: true }).catch(() => []);
  return addresses.some(({ address }) => !isPublicAddress(address));
}

/** The code of the error where a connection would lead inside. */
export const BLOCKED = "EBLOCKED";

/**
 * Resolves names for a connection, which then goes to the very addresses that were looked at: what
 * DNS says a moment later makes no difference. Any address inside among them is an error.
 */
export const lookupPublic =
  (resolve: Resolve): LookupFunction =>
  (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "");
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => !isPublicAddress(address)))
        return done(blocked(), "");
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

/** The error of a connection that would lead inside. */
export const blocked = () => Object.assign(new Error("The address is inside"), { code: BLOCKED });
