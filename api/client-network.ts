import { isIPv6 } from "node:net";

const IPV4_MAPPED = ["0", "0", "0", "0", "0", "ffff"];

/**
 * What one client has to itself: an IPv4 address, or the /64 of an IPv6 address, since a subscriber
 * is given at least that (RFC 6177) and may use each of its 2^64 addresses once. However it is
 * written it is the same text; what is no address stays as it is.
 */
export function clientNetwork(ip: string): string {
  const [address = "", zone] = ip.split("%");
  if (!isIPv6(address)) return ip;
  const groups = groupsOf(address);
  if (IPV4_MAPPED.every((group, index) => groups[index] === group))
    return groups.slice(6).flatMap(bytesOf).join(".");
  return [`${groups.slice(0, 4).join(":")}::/64`, zone].filter(Boolean).join("%");
}

/** The eight groups, in the canonical form of each. */
function groupsOf(address: string): string[] {
  const { hostname } = new URL(`http://[${address}]`);
  const [front = [], back = []] = hostname
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").filter(Boolean));
  return [...front, ...Array(8 - front.length - back.length).fill("0"), ...back];
}

function bytesOf(group: string): number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
