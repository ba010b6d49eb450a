import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { Problem } from "../../core/problem.ts";

/**
 * Refuses a body of more than `maxSize` bytes with `body_too_large`. A declared Content-Length is
 * trusted, because HTTP holds the sender to it. A body without one, or with Transfer-Encoding, is
 * counted while it arrives.
 */
export function limitBody(maxSize: number): MiddlewareHandler {
  const refuse = () => {
    throw new Problem("body_too_large");
  };
  const counted = bodyLimit({ maxSize, onError: refuse });
  return (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    const length = c.req.header("content-length");
    if (length === undefined || c.req.header("transfer-encoding")) return counted(c, next);
    if (Number(length) > maxSize) refuse();
    return next();
  };
}
