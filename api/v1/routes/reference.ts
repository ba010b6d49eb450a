import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { OpenAPIHono } from "@hono/zod-openapi";

const VERSION = "1.0.0";

const FILES = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
} as const;

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Second Step: API reference</title>
<link rel="icon" href="/portal/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference" });`;

/** Swagger UI sets style attributes; scripts only come from our own origin. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const ABOUT = {
  openapi: "3.1.0",
  info: {
    title: "Second Step",
    version: VERSION,
    description: "Multi-factor authentication that a team can host itself",
  },
};

/** The OpenAPI document and a page to browse it. */
export function referenceRoutes(app: OpenAPIHono) {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "The session token of a login",
  });
  let document: string | undefined;
  app.get("/openapi.json", (c) => {
    // Made once, when all routes are known: it takes longer than hashing a password.
    document ??= JSON.stringify(app.getOpenAPI31Document(ABOUT));
    return c.body(document, 200, { "content-type": "application/json" });
  });

  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const [name, type] of Object.entries(FILES))
    app.get(`/docs/${name}`, async (c) =>
      c.body(await readFile(join(folder, name)), 200, { "content-type": type }),
    );
  app.get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript" }));
  app.get("/docs", (c) => c.html(PAGE, 200, { "content-security-policy": POLICY }));
}
