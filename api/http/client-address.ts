import { isIP } from "node:net";
import { parse as parseForwarded } from "forwarded-parse";
import ipaddr from "ipaddr.js";

/** `192.0.2.1:4711`, `[2001:db8::1]:4711` or `[2001:db8::1]`: what proxies write with or without a port. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::[\w.-]+)?$/;

/**
 * The IP address in its one form: IPv6 as RFC 5952 writes it, an IPv4 address inside IPv6 as IPv4,
 * without port and brackets. Undefined for what is no address, such as `unknown` (RFC 7239 section 6.2).
 */
export function canonicalAddress(text: string | undefined): string | undefined {
  const node = text?.trim() ?? "";
  const [, bracketed, bare] = WITH_PORT.exec(node) ?? [];
  const address = isIP(node) ? node : (bracketed ?? bare ?? "");
  // Node's own check first: the library also reads forms such as 0x7f.1 that nobody writes honestly.
  return isIP(address) ? ipaddr.process(address).toString() : undefined;
}

/**
 * The clients that proxies name, the nearest proxy's entry last, as they were written. A `Forwarded`
 * header that is malformed names one client without an address.
 */
export function forwardedEntries(header: (name: string) => string | undefined): string[] {
  const list = header("x-forwarded-for");
  if (list !== undefined) return list.split(",");
  const elements = header("forwarded");
  if (elements === undefined) return [];
  try {
    return parseForwarded(elements).map((element) => element.for ?? "");
  } catch {
    return [""];
  }
}
