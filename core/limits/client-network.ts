import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** RFC 6177: a subscriber is given at least a /64. */
const SUBSCRIBER_BITS = 64;

/**
 * The network that one client has to itself: an IPv4 address, or the /64 of an IPv6 address, since
 * a subscriber may use each of its 2^64 addresses once. All spellings of an address give the same
 * text; text that is no address is returned as it is.
 */
export function clientNetwork(ip: string): string {
  if (!isIP(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === "ipv4") return address.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/${SUBSCRIBER_BITS}`);
  return `${network}/${SUBSCRIBER_BITS}`;
}
