import type { MiddlewareHandler } from "hono";

/** Headers of every response. Pages add a Content-Security-Policy. */
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
 * Sets the headers of `hono/secure-headers` before the response is made. That middleware sets them
 * afterwards, which costs each request a second Response object (see docs/performance-log.md).
 */
export const secureHeaders: MiddlewareHandler = (c, next) => {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
  return next();
};

/** Forbids caches on the way to store an API response. */
export const noStore: MiddlewareHandler = (c, next) => {
  c.header("cache-control", "no-store");
  return next();
};

/** Response headers of an exported file of events. */
export const NDJSON = {
  "content-type": "application/x-ndjson",
  "content-disposition": 'attachment; filename="activity.ndjson"',
};
