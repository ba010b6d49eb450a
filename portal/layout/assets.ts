import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Hono } from "hono";
import type { PortalEnv } from "./form.ts";

const SCRIPT = "text/javascript; charset=utf-8";
const OWN = join(import.meta.dirname, "assets");
// The package exports only the modules of the folder beside its bundles.
const MODULE = createRequire(import.meta.url).resolve("@simplewebauthn/browser");
const BUNDLES = join(dirname(MODULE), "../dist/bundle");

/** The folder of each file, its name there, and its type. */
const SOURCES = {
  "style.css": [OWN, "style.css", "text/css; charset=utf-8"],
  "portal.js": [OWN, "portal.js", SCRIPT],
  "simplewebauthn.js": [BUNDLES, "index.umd.min.js", SCRIPT],
  "keys.js": [OWN, "keys.js", SCRIPT],
  "icon.svg": [OWN, "icon.svg", "image/svg+xml"],
} as const;

type Name = keyof typeof SOURCES;

const files = Object.entries(SOURCES).map(([name, [folder, source, type]]) => {
  const body = readFileSync(join(folder, source), "utf8");
  const version = createHash("sha256").update(body).digest("hex").slice(0, 12);
  return { name: name as Name, type, body, version };
});

/**
 * The URL of a file. It changes with the file's content, so browsers may cache the file for ever.
 */
export function assetPath(name: Name): string {
  return `/portal/${name}?v=${files.find((file) => file.name === name)?.version}`;
}

/** The stylesheet, the scripts and the icon. */
export function assetRoutes(app: Hono<PortalEnv>) {
  for (const { name, type, body, version } of files)
    app.get(`/portal/${name}`, (c) => {
      const current = c.req.query("v") === version;
      const cache = current ? "public, max-age=31536000, immutable" : "no-cache";
      return c.body(body, 200, { "content-type": type, "cache-control": cache });
    });
}
