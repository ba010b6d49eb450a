import type { OpenAPIHono } from "@hono/zod-openapi";
import type { CoreDeps } from "../../../core/deps.ts";
import { Problem } from "../../../core/problem.ts";
import { findRelyingParty } from "../../../core/webauthn/relying-party.ts";

/**
 * Tells browsers which other sites may ask for our keys (Web Authentication Level 3, 5.11). It is
 * public, so it may be read from everywhere.
 */
export function relatedOriginRoutes(app: OpenAPIHono, { config }: Pick<CoreDeps, "config">) {
  app.get("/.well-known/webauthn", (c) => {
    const rp = findRelyingParty(config);
    if (!rp) throw new Problem("not_found", "Security keys and passkeys cannot be used here yet.");
    const origins = rp.origins.filter((origin) => origin.startsWith("https://"));
    return c.json({ origins }, 200, { "cross-origin-resource-policy": "cross-origin" });
  });
}
