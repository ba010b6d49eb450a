import { z } from "zod";
import type { Answer } from "./client.ts";

type Media = Record<string, { schema: object }>;
export type Operation = {
  responses: Record<string, { description: string; content?: Media }>;
  security?: object[];
  requestBody?: { required?: boolean; content: object };
};
export type OpenApi = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

/** Throws if an answer under /v1 is not in the document: by status, type, code or body. */
export function contractOf(document: OpenApi): (call: string, answer: Answer<unknown>) => void {
  const schemas = new Map<object, z.ZodType>();
  const schemaOf = (schema: object) => {
    const made = schemas.get(schema) ?? toZod(document, schema);
    schemas.set(schema, made);
    return made;
  };

  return (call, answer) => {
    const [method = "", target = ""] = call.split(" ");
    const path = target.split("?")[0] ?? "";
    if (!path.startsWith("/v1/")) return;
    const fail = (what: string) => {
      throw new Error(
        `openapi.json does not tell ${what}: ${call}: ${answer.status} ${answer.text}`,
      );
    };
    const operation = operationOf(document, method, path);
    if (!operation) {
      if (answer.status >= 400 && answer.status < 500) return;
      return fail("the call");
    }
    const response = operation.responses[answer.status];
    if (!response) return fail("the status");
    const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
    const media = response.content?.[type];
    // An NDJSON file may be empty.
    if (answer.text === "" && type !== "application/x-ndjson")
      return response.content && fail("an empty answer");
    if (!media) return fail(`the type ${type}`);
    const body = /[/+]json$/.test(type) ? JSON.parse(answer.text) : answer.text;
    const checked = schemaOf(media.schema).safeParse(body);
    if (!checked.success) fail(`the body (${z.prettifyError(checked.error)})`);
    if (answer.status >= 400 && !response.description.includes(`\`${body.code}\``))
      fail(`the code ${body.code}`);
  };
}

function operationOf(document: OpenApi, method: string, path: string): Operation | undefined {
  const templates = Object.keys(document.paths).filter((template) => fits(template, path));
  // The template with the fewest parameters wins: `/devices/sms` before `/devices/{id}`.
  const [closest] = templates.sort((a, b) => a.split("{").length - b.split("{").length);
  return closest === undefined ? undefined : document.paths[closest]?.[method.toLowerCase()];
}

function fits(template: string, path: string): boolean {
  const parts = path.split("/");
  const wanted = template.split("/");
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => part.startsWith("{") || part === parts[index])
  );
}

function toZod({ components }: OpenApi, schema: object): z.ZodType {
  const whole = { ...schema, $defs: components.schemas };
  return z.fromJSONSchema(
    JSON.parse(JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/")),
  );
}
