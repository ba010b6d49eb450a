import type { Context } from "hono";
import { routePath } from "hono/route";

/**
 * The pattern of the route that took the request, such as `/v1/sessions/:id`; undefined if none did.
 * Only known once the request is answered.
 */
export function matchedRoute(c: Context): string | undefined {
  const route = routePath(c);
  // A pattern that ends in `*` is a middleware's.
  return route.endsWith("*") ? undefined : route;
}
