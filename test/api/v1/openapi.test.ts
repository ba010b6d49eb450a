import { expect, test } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../../core/problem.ts";
import type { Stack } from "../../support/stack.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const METHODS = ["get", "put", "post", "delete", "patch"];

type Parameter = { name: string; in: string; required?: boolean };
type Whole = Stack["document"]["paths"][string][string] & {
  summary?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: object };
};

/** Every call of the document, named like `post /v1/login`. */
function operations(): [call: string, operation: Whole][] {
  return Object.entries(stack.document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]): [string, Whole] => [`${method} ${path}`, operation]),
  );
}

test("it is OpenAPI 3.1, as JSON", async () => {
  const answer = await stack.app.request("/openapi.json");
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(stack.document).toMatchObject({
    openapi: expect.stringMatching(/^3\.1\.\d+$/),
    info: { title: expect.any(String), version: expect.any(String) },
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
  });
  // `nullable` is OpenAPI 3.0; 3.1 uses JSON Schema's type "null".
  expect(JSON.stringify(stack.document)).not.toContain('"nullable"');
  // A `pattern` has no flags, so each must compile with the Unicode flag.
  for (const [, pattern] of JSON.stringify(stack.document).matchAll(
    /"pattern":("(?:[^"\\]|\\.)*")/g,
  )) {
    expect(pattern).not.toMatch(/\$\/\w*"$/);
    expect(new RegExp(JSON.parse(pattern as string), "u").test("\0")).toBe(false);
  }
});

test("every reference leads somewhere", () => {
  const references: string[] = [];
  JSON.stringify(stack.document, (key, value) => {
    if (key === "$ref") references.push(value);
    return value;
  });
  expect(references.length).toBeGreaterThan(0);
  const lost = references.filter((reference) => {
    const [root, ...parts] = reference.split("/");
    const target = parts.reduce<unknown>(
      (node, part) => (node as Record<string, unknown> | undefined)?.[part],
      stack.document,
    );
    return root !== "#" || target === undefined;
  });
  expect(lost).toEqual([]);
});

test("it has every route under /v1, and nothing else", () => {
  const routes = stack.app.routes
    .filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1/"))
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`);
  const documented = operations().map(([call]) => call);
  expect([...new Set(documented)].sort()).toEqual([...new Set(routes)].sort());
});

test("every call has a summary, a tag, its path parameters and its answers", () => {
  for (const [call, operation] of operations()) {
    expect(operation.summary, call).toMatch(/\S/);
    expect(operation.tags, call).toHaveLength(1);
    const inPath = [...call.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
    expect(declared.map(({ name }) => name).sort(), call).toEqual(inPath.sort());
    for (const parameter of declared) expect(parameter.required, call).toBe(true);
    const statuses = Object.keys(operation.responses);
    expect(statuses.filter((status) => status.startsWith("2")).length, call).toBeGreaterThan(0);
    expect(statuses, call).toEqual(expect.arrayContaining(["500", "503"]));
    if (operation.security) expect(statuses, call).toContain("401");
    if (operation.requestBody) {
      const type = call.includes("/v1/providers/") ? "x-www-form-urlencoded" : "json";
      expect(Object.keys(operation.requestBody.content), call).toEqual([`application/${type}`]);
      expect(statuses, call).toEqual(expect.arrayContaining(["400", "413", "415", "422"]));
    }
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description, `${call} ${status}`).toMatch(/\S/);
      if (Number(status) >= 400)
        expect(Object.keys(content ?? {}), `${call} ${status}`).toEqual([
          "application/problem+json",
        ]);
    }
  }
});

test("every call that takes a session is refused without one, and the document says so", async () => {
  for (const [call, operation] of operations()) {
    const [method = "", path = ""] = call.split(" ");
    const body = operation.requestBody ? sampleOf(operation) : undefined;
    const answer = await stack.api.call(method.toUpperCase(), path.replace(/\{\w+\}/g, "x"), {
      body,
    });
    expect([call, answer.status === 401 && answer.problem.code === "unauthenticated"]).toEqual([
      call,
      operation.security !== undefined,
    ]);
  }
});

test("every problem is documented at some call, with its own status", () => {
  const documented = new Map<string, Set<number>>();
  for (const [, { responses }] of operations())
    for (const [status, { description }] of Object.entries(responses))
      for (const [, code = ""] of description.matchAll(/`(\w+)`: /g))
        documented.set(code, (documented.get(code) ?? new Set()).add(Number(status)));
  /** Problems outside of every call, and one that only administrators' calls answer. */
  const undocumented: ProblemCode[] = ["not_found", "method_not_allowed", "forbidden"];
  for (const [code, { status }] of Object.entries(PROBLEMS)) {
    if (!documented.has(code) && undocumented.includes(code as ProblemCode)) continue;
    expect([code, [...(documented.get(code) ?? [])]]).toEqual([code, [status]]);
  }
});

test("the reference page uses only our own files, and its policy allows no others", async () => {
  const page = await stack.app.request("/docs");
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const files = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file = ""]) => file);
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    expect(file).toMatch(/^\/(docs|portal)\//);
    const answer = await stack.app.request(file);
    expect(answer.status).toBe(200);
    expect((await answer.text()).length).toBeGreaterThan(0);
  }
});

/** The smallest body that the call's schema accepts. */
function sampleOf(operation: Whole): unknown {
  const [media] = Object.values(operation.requestBody?.content ?? {}) as { schema: Schema }[];
  return media && sample(media.schema);
}

type Schema = {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  minimum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
};

function sample(schema: Schema): unknown {
  if (schema.$ref)
    return sample(stack.document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] as Schema);
  if (schema.anyOf) return sample(schema.anyOf[0] ?? {});
  if (schema.enum) return schema.enum[0];
  if (schema.format === "idn-email") return "x@example.com";
  if (schema.type === "object")
    return Object.fromEntries(
      (schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {})]),
    );
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  if (schema.type === "boolean") return true;
  return "x";
}
