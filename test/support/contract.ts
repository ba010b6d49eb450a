import type { Answer } from "./client.ts";

type Operation = { responses: Record<string, { description: string; content?: object }> };
export type OpenApi = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

/** Throws for an answer under /v1 whose status, content type or problem code the document does not tell. */
export function holdToContract(document: OpenApi, call: string, answer: Answer<never>): void {
  const [method = "", target = ""] = call.split(" ");
  const path = target.split("?")[0] ?? "";
  if (!path.startsWith("/v1/")) return;
  const operation = operationOf(document, method, path);
  if (!operation) {
    if (answer.status === 404 || answer.status === 405) return;
    throw new Error(`${call} is not in the document, yet it answered ${answer.status}`);
  }
  const told = `${call} answered ${answer.status} ${answer.text}`;
  const response = operation.responses[answer.status];
  if (!response) throw new Error(`The document does not know the status: ${told}`);
  const type = answer.headers.get("content-type")?.split(";")[0];
  if (answer.text !== "" && !(type && type in (response.content ?? {})))
    throw new Error(`The document does not know the type ${type}: ${told}`);
  if (answer.status >= 400 && !response.description.includes(`\`${answer.problem.code}\``))
    throw new Error(`The document does not know the code: ${told}`);
}

function operationOf(document: OpenApi, method: string, path: string): Operation | undefined {
  const templates = Object.keys(document.paths).filter((template) => fits(template, path));
  // `/devices/sms` goes before `/devices/{id}`.
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
