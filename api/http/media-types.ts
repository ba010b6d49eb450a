import type { Context } from "hono";
import Negotiator from "negotiator";

/**
 * The one of these media types that the client's `Accept` header prefers (RFC 9110 section 12.5.1).
 * The first of them if it prefers none or accepts none: an answer is better than 406.
 */
export function preferredType<T extends string>(c: Context, types: readonly [T, ...T[]]): T {
  const accept = c.req.header("accept");
  const best = new Negotiator({ headers: { accept } }).mediaType([...types]);
  return (best as T | undefined) ?? types[0];
}

/** The media type of the body in lower case, without parameters; undefined if none is declared. */
export function bodyType(c: Context): string | undefined {
  return c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
}
