import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import type { ClientInfo } from "../../machines/methods.ts";
import { canonicalAddress, forwardedEntries } from "./client-address.ts";

const LONGEST_USER_AGENT = 200;

/**
 * The client's IP address and user agent. The address is taken from `X-Forwarded-For` or, if that
 * is absent, from `Forwarded` (RFC 7239). Counted from the right, as many entries are trusted as
 * there are trusted proxies, and the leftmost of these is the client's. Entries further left are
 * whatever the client wrote. With fewer entries than trusted proxies the address is the peer's. An
 * entry that is no address gives a client without an address, because the proxy's own address would
 * be wrong.
 */
export function clientInfoOf(c: Context, trustedProxies: number): ClientInfo {
  const userAgent = c.req.header("user-agent")?.slice(0, LONGEST_USER_AGENT);
  const entries = trustedProxies > 0 ? forwardedEntries((name) => c.req.header(name)) : [];
  const ip = entries.length < Math.max(trustedProxies, 1) ? peer(c) : entries.at(-trustedProxies);
  return { ip: canonicalAddress(ip), userAgent };
}

function peer(c: Context): string | undefined {
  // In-process requests (`app.request`) have no connection.
  return c.env && "incoming" in c.env ? getConnInfo(c).remote.address : undefined;
}
