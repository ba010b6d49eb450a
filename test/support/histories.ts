import type { Client } from "@temporalio/client";

const METADATA_QUERY = "__temporal_workflow_metadata";

/** What an operator can read of every workflow of a namespace: each text, with payloads decoded. */
export async function everythingReadable({ workflow }: Client) {
  const types: string[] = [];
  const texts: string[] = [];
  for await (const { workflowId, runId, type, memo, searchAttributes } of workflow.list()) {
    types.push(type);
    const handle = workflow.getHandle(workflowId, runId);
    const { events } = await handle.fetchHistory();
    const { raw } = await handle.describe();
    const details = await handle.query(METADATA_QUERY);
    collect([workflowId, memo, searchAttributes, events, raw, details], texts);
  }
  return { types, texts };
}

/** Every text inside a value, bytes read as the text that they hold. */
function collect(value: unknown, texts: string[]) {
  if (typeof value === "string") texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString());
  else if (value !== null && typeof value === "object")
    // `<process id>@<host>`: numbers that could be taken for a code.
    for (const [name, part] of Object.entries(value)) if (name !== "identity") collect(part, texts);
}

/** What stands by itself as a number without being a code: parts of ids and dates, masked phones. */
const INNOCENT = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\dT[\d:.]+Z?|•+\d+/g;

/** The secrets that stand in a text: long ones anywhere in it, short codes as a word of their own. */
export function secretsIn(texts: readonly string[], secrets: Iterable<string>): string[] {
  const all = texts.join("\n");
  const words = new Set(all.replace(INNOCENT, " ").split(/[^\p{L}\p{N}]+/u));
  return [...secrets].filter((secret) =>
    /^\d{1,7}$/.test(secret) ? words.has(secret) : all.includes(secret),
  );
}
