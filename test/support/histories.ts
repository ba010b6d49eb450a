import type { Client } from "@temporalio/client";

const METADATA_QUERY = "__temporal_workflow_metadata";

/** Every text of the history of one workflow, with payloads decoded. */
export async function historyOf({ workflow }: Client, workflowId: string): Promise<string> {
  const { events } = await workflow.getHandle(workflowId).fetchHistory();
  const texts: string[] = [];
  collect(events, texts);
  return texts.join("\n");
}

/** Every text of every workflow in a namespace that an operator can read, with payloads decoded. */
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

/** Collects every text inside a value. Bytes are decoded to text. */
function collect(value: unknown, texts: string[]) {
  if (typeof value === "string") texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString());
  else if (value !== null && typeof value === "object")
    // Skips `identity`: its `<process id>@<host>` has numbers that look like a code.
    for (const [name, part] of Object.entries(value)) if (name !== "identity") collect(part, texts);
}

/** Numbers that are no codes: parts of ids and dates, and the digits of masked phones. */
const INNOCENT = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\dT[\d:.]+Z?|•+\d+/g;

/** The secrets found in these texts: long ones anywhere, short codes only as a whole word. */
export function secretsIn(texts: readonly string[], secrets: Iterable<string>): string[] {
  const all = texts.join("\n");
  const words = new Set(all.replace(INNOCENT, " ").split(/[^\p{L}\p{N}]+/u));
  return [...secrets].filter((secret) =>
    /^\d{1,7}$/.test(secret) ? words.has(secret) : all.includes(secret),
  );
}
