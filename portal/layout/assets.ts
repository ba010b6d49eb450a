import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hono } from "hono";
import type { PortalEnv } from "./form.ts";

const TYPES = {
  "style.css": "text/css; charset=utf-8",
  "portal.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

type Name = keyof typeof TYPES;

const files = Object.entries(TYPES).map(([name, type]) => {
  const body = readFileSync(join(import.meta.dirname, "assets", name), "utf8");
  const version = createHash("sha256").update(body).digest("hex").slice(0, 12);
  return { name: name as Name, type, body, version };
});

/**
 * The URL of a file. It changes with the file's content, so browsers may cache the file for ever.
 */
export function assetPath(name: Name): string {
  return `/portal/${name}?v=${files.find((file) => file.name === name)?.version}`;
}

/** The stylesheet, the script and the icon. */
export function assetRoutes(app: Hono<PortalEnv>) {
  for (const { name, type, body, version } of files)
    app.get(`/portal/${name}`, (c) => {
      const current = c.req.query("v") === version;
      const cache = current ? "public, max-age=31536000, immutable" : "no-cache";
      return c.body(body, 200, { "content-type": type, "cache-control": cache });
    });
}
