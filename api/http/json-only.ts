import type { MiddlewareHandler } from "hono";
import { Problem } from "../../core/problem.ts";
import { bodyType } from "./media-types.ts";

/**
 * Refuses a body that is not declared as JSON. A browser's form cannot declare that without a
 * CORS preflight, so no foreign page can send one in a user's name.
 */
export const jsonOnly: MiddlewareHandler = async (c, next) => {
  const hasBody = c.req.header("content-length") ?? c.req.header("transfer-encoding");
  if (hasBody !== undefined && hasBody !== "0" && bodyType(c) !== "application/json")
    throw new Problem("unsupported_media_type");
  return next();
};
