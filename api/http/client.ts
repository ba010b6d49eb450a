import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import type { ClientInfo } from "../../machines/methods.ts";
import { canonicalAddress, forwardedEntries } from "./client-address.ts";

const LONGEST_USER_AGENT = 200;

/**
 * Where the request came from. The entries of `X-Forwarded-For`, or where that is absent those of
 * `Forwarded` (RFC 7239), are believed for as many as there are trusted proxies, counted from the
 * right: what stands further left is whatever the client wrote. Without an entry it is the peer. An
 * entry that is no address makes a client without one: the proxy's own address would be untrue.
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
