import { lookup as resolve } from "node:dns";
import { lookup as resolved } from "node:dns/promises";
import { BlockList, isIP, type LookupFunction } from "node:net";

/**
 * What no webhook may reach: everything that the IANA IPv4 Special-Purpose Address Registry does not
 * call globally reachable, and multicast.
 */
const INSIDE_V4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/** Of IPv6 only global unicast is outside (RFC 4291 section 2.4), and of that not what is here. */
const INSIDE_V6 = [
  // Protocol assignments, Teredo among them, whose addresses hold an IPv4 address.
  ["2001::", 23],
  ["2001:db8::", 32],
  // 6to4, for the same reason.
  ["2002::", 16],
  ["3fff::", 20],
] as const;

const inside = new BlockList();
for (const [net, prefix] of INSIDE_V4) inside.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of INSIDE_V6) inside.addSubnet(net, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** Whether the IP address is one of the public internet; false for any other text. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !inside.check(address, "ipv4");
  // An IPv4 address mapped into IPv6 is not global unicast, whatever it maps.
  return family === 6 && globalUnicast.check(address, "ipv6") && !inside.check(address, "ipv6");
}

/** A URL's host as `lookup` and `isIP` take it. */
export const bareHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, "");

/** RFC 6761 section 6.3: these are loopback, whatever DNS knows of them. */
const LOCALHOST = /(^|\.)localhost\.?$/i;

/** Whether the host is, or has by DNS right now, an address inside; false where DNS knows nothing. */
export async function isInside(host: string): Promise<boolean> {
  if (LOCALHOST.test(host)) return true;
  if (isIP(host)) return !isPublicAddress(host);
  const addresses = await resolved(host, { all: true }).catch(() => []);
  return addresses.some(({ address }) => !isPublicAddress(address));
}

/** The code of the error where a connection would lead inside. */
export const BLOCKED = "EBLOCKED";

/**
 * Resolves names for a connection, which then goes to the very addresses that were looked at: what
 * DNS says a moment later makes no difference. Any address inside among them is an error.
 */
export const lookupPublic: LookupFunction = (host, options, done) => {
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
