import type { OpenAPIHono } from "@hono/zod-openapi";
import { Problem } from "../../core/problem.ts";

/**
 * Answers 405 (RFC 9110 section 15.5.6) to methods that the routes under `/v1` do not take. Call it
 * after these routes are registered.
 */
export function refuseOtherMethods(app: OpenAPIHono) {
  const taken = new Map<string, string[]>();
  for (const { method, path } of app.routes)
    if (method !== "ALL" && path.startsWith("/v1/"))
      taken.set(path, [...(taken.get(path) ?? []), method]);
  for (const [path, methods] of taken)
    app.all(path, () => {
      const allow = [...new Set(methods)].join(", ");
      throw new Problem("method_not_allowed", `Use ${allow} here.`, { allow });
    });
}
