import type { MiddlewareHandler } from "hono";
import { Problem } from "../../core/problem.ts";

/** Everything comes from the service itself, and pages have no inline scripts or styles. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // The QR code holds a secret, so it is inline in its page and has no URL of its own.
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PERMISSIONS = [
  ...["camera=()", "geolocation=()", "microphone=()"],
  ...["publickey-credentials-create=(self)", "publickey-credentials-get=(self)"],
].join(", ");

/**
 * Pages are private: no cache stores them, no site frames them, and they load nothing from other
 * origins.
 */
export const pageHeaders: MiddlewareHandler = (c, next) => {
  c.header("content-security-policy", POLICY);
  c.header("cache-control", "no-store");
  c.header("permissions-policy", PERMISSIONS);
  return next();
};

/**
 * Refuses a form that another site's page sent in the user's name (CSRF). Browsers say in
 * Sec-Fetch-Site (W3C Fetch Metadata) where a request comes from; for older browsers the Origin is
 * compared. Throws `forbidden`.
 */
export const ownFormsOnly: MiddlewareHandler = async (c, next) => {
  if (c.req.method === "GET" || c.req.method === "HEAD") return next();
  const site = c.req.header("sec-fetch-site");
  // "none": the person repeated the request in the browser, such as by a reload.
  const own =
    site === undefined
      ? hostOf(c.req.header("origin")) === new URL(c.req.url).host
      : site === "same-origin" || site === "none";
  if (!own) throw new Problem("forbidden", "The form was sent from another site. Open it here.");
  return next();
};

function hostOf(origin: string | undefined): string | undefined {
  return origin && URL.canParse(origin) ? new URL(origin).host : undefined;
}
