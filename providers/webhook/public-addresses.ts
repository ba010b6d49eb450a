import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { promisify } from "node:util";
import ipaddr from "ipaddr.js";

/** In IPv6 only global unicast is public (RFC 4291 section 2.4). */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * Whether the IP address is on the public internet; false for any other text. An address is public
 * if the IANA Special-Purpose Address Registries do not list it. An address that contains another
 * one (IPv4-mapped, NAT64, 6to4, Teredo) is never public.
 */
export function isPublicAddress(text: string): boolean {
  if (!isIP(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || address.match(GLOBAL_UNICAST);
}

/** A URL's host in the form that `lookup` and `isIP` take. */
export const bareHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, "");

/** RFC 6761 section 6.3: these names are always loopback, whatever DNS says. */
const LOCALHOST = /(^|\.)localhost\.?$/i;

/** Resolves names like `dns.lookup` with `all`. */
export type Resolve = typeof lookUp;

/** Whether the host is a name that needs DNS. */
export const isName = (host: string) => !isIP(host) && !LOCALHOST.test(host);

/**
 * Whether the host is an address that is not public, or DNS currently names one; false if DNS has
 * no answer.
 */
export async function isInside(host: string, resolve: Resolve = lookUp): Promise<boolean> {
  if (!isName(host)) return !isPublicAddress(host);
  const addresses = await promisify(resolve)(host, { all: true }).catch(() => []);
  return addresses.some(({ address }) => !isPublicAddress(address));
}

/** The error code of a connection to an address that is not public. */
export const BLOCKED = "EBLOCKED";

/**
 * Resolves a name for a connection. The connection uses exactly the addresses that were checked, so
 * a later DNS change has no effect. If any of them is not public, it fails.
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

/** The error of a connection to an address that is not public. */
export const blocked = () =>
  Object.assign(new Error("The address is not public"), { code: BLOCKED });
