import type { MiddlewareHandler } from "hono";

/** What every answer carries; a page adds its own policy. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=15552000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0",
};

/**
 * The headers of `hono/secure-headers`, set before the answer is made: set afterwards, as that does,
 * they cost each request a second Response (see docs/performance-log.md).
 */
export const secureHeaders: MiddlewareHandler = (c, next) => {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  return next();
};

/** No answer of the API may be kept by anybody on its way. */
export const noStore: MiddlewareHandler = (c, next) => {
  c.header("cache-control", "no-store");
  return next();
};

/** The headers of a file of events. */
export const NDJSON = {
  "content-type": "application/x-ndjson",
  "content-disposition": 'attachment; filename="activity.ndjson"',
};
