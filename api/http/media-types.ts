import type { Context } from "hono";
import Negotiator from "negotiator";

/**
 * Which of these media types the client likes best by its `Accept` header (RFC 9110 section 12.5.1).
 * The first one where it accepts all of them alike, or none: an answer is better than 406.
 */
export function preferredType<T extends string>(c: Context, types: readonly [T, ...T[]]): T {
  const accept = c.req.header("accept");
  const best = new Negotiator({ headers: { accept } }).mediaType([...types]);
  return (best as T | undefined) ?? types[0];
}

/** The media type of the body without its parameters, in lower case; undefined where none is named. */
export function bodyType(c: Context): string | undefined {
  return c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
}
