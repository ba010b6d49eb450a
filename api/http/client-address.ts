import { isIP } from "node:net";
import { parse as parseForwarded } from "forwarded-parse";
import ipaddr from "ipaddr.js";

/**
 * `192.0.2.1:4711`, `[2001:db8::1]:4711` or `[2001:db8::1]`: what proxies write with or without a
 * port.
 */
const WITH_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::[\w.-]+)?$/;

/**
 * The IP address in canonical form: IPv6 as in RFC 5952, an IPv4-mapped address as IPv4, without
 * port and brackets. Undefined for text that is no address, such as `unknown` (RFC 7239 section
 * 6.2).
 */
export function canonicalAddress(text: string | undefined): string | undefined {
  const node = text?.trim() ?? "";
  const [, bracketed, bare] = WITH_PORT.exec(node) ?? [];
  const address = isIP(node) ? node : (bracketed ?? bare ?? "");
  // Node's own check comes first: ipaddr.js also reads forms such as 0x7f.1, which no honest proxy
  // writes.
  return isIP(address) ? ipaddr.process(address).toString() : undefined;
}

/**
 * The forwarded addresses as written, the nearest proxy's entry last. A malformed `Forwarded`
 * header gives one empty entry.
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
