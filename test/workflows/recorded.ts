import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import { temporal } from "@temporalio/proto";

// The SDK's own historyToJSON fails here: it needs a single copy of protobufjs, and npm installs
// several.
const { History } = temporal.api.history.v1;
const READABLE = { enums: String, longs: String, bytes: String };

const folder = join(import.meta.dirname, "histories");

type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;
export type Recorded = { name: string; workflowId: string; history: History };

/** Every recorded history, with the name of its outcome. */
export function recordedHistories(): Recorded[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const { name, workflowId, events } = JSON.parse(readFileSync(join(folder, file), "utf8"));
      return { name, workflowId, history: History.fromObject({ events }) };
    });
}

/** Replaces all recorded histories: one file each, with one event a line. */
export function recordHistories(all: readonly Recorded[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { name, workflowId, history } of all) {
    const { events } = History.toObject(History.fromObject(history), READABLE);
    const lines = events.map((event: object) => JSON.stringify(event, withoutTraces)).join(",\n");
    const [id, words] = [JSON.stringify(workflowId), JSON.stringify(name)];
    const file = `${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}.json`;
    const text = `{"name":${words},"workflowId":${id},"events":[\n${lines}\n]}\n`;
    writeFileSync(join(folder, file), text);
  }
}

/** Drops stack traces: replay does not read them, and they name files of the machine. */
function withoutTraces(key: string, value: unknown) {
  return key === "stackTrace" ? undefined : value;
}

/** `<workflow type>: <final state, or result>`. */
export function endOf({ events }: History): string {
  const type = events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name;
  const { result } = events?.at(-1)?.workflowExecutionCompletedEventAttributes ?? {};
  const text = Buffer.from(result?.payloads?.[0]?.data ?? []).toString();
  if (text === "") throw new Error(`The history of a ${type} has no end`);
  const ended = JSON.parse(text);
  return `${type}: ${ended.state ?? ended}`;
}
