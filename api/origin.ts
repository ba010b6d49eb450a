import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import type { Origin } from "../machines/methods.ts";

const LONGEST_USER_AGENT = 200;

/**
 * Where the request came from. `X-Forwarded-For` is believed for as many entries, counted from the
 * right, as there are trusted proxies: what stands further left is whatever the client wrote.
 */
export function originOf(c: Context, trustedProxies: number): Origin {
  const userAgent = c.req.header("user-agent")?.slice(0, LONGEST_USER_AGENT);
  const forwarded = c.req.header("x-forwarded-for")?.split(",") ?? [];
  const ip = trustedProxies > 0 ? forwarded.at(-trustedProxies)?.trim() : undefined;
  return { ip: ip || peer(c), userAgent };
}

function peer(c: Context): string | undefined {
  // In-process requests (`app.request`) have no connection.
  return c.env && "incoming" in c.env ? getConnInfo(c).remote.address : undefined;
}
