import type { MiddlewareHandler } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { findRelyingParty } from "../../core/webauthn/relying-party.ts";

const ADDRESSES = new Set(["127.0.0.1", "[::1]"]);

/**
 * Leads from this machine's address to its name where keys are bound to the name: browsers offer no
 * keys at an address.
 */
export function onLocalhost({ config }: Pick<CoreDeps, "config">): MiddlewareHandler {
  const isByName = findRelyingParty(config)?.id === "localhost";
  return async (c, next) => {
    const url = new URL(c.req.url);
    if (!isByName || c.req.method !== "GET" || !ADDRESSES.has(url.hostname)) return next();
    url.hostname = "localhost";
    return c.redirect(url.href, 302);
  };
}
