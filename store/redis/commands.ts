import { subscribe } from "node:diagnostics_channel";
import { beginSpan } from "../../telemetry/spans.ts";
import { scripts } from "./scripts/scripts.ts";

/** One command, or one of our scripts by its name; the duration in seconds. */
export type RedisCommand = { command: string; outcome: "ok" | "failed"; seconds: number };

/** What node-redis publishes about a command. */
type Traced = { command: string; args: readonly string[]; error?: { message?: string } };

const CHANNEL = "tracing:node-redis:command";

/** Reports every Redis command of this process, through the client's own diagnostics channel. */
export function watchRedisCommands(hear: (command: RedisCommand) => void) {
  const begun = new WeakMap<object, number>();
  subscribe(`${CHANNEL}:start`, (message) => begun.set(message as Traced, performance.now()));
  subscribe(`${CHANNEL}:asyncEnd`, (message) => {
    const { command, args, error } = message as Traced;
    const start = begun.get(message as Traced);
    if (start === undefined || isSentAgain(error?.message)) return;
    hear({
      command: nameOf(command, args),
      outcome: error ? "failed" : "ok",
      seconds: (performance.now() - start) / 1000,
    });
  });
}

/** Makes a span of every Redis command that belongs to a trace; never its keys or arguments. */
export function traceRedisCommands(): void {
  const open = new WeakMap<object, ReturnType<typeof beginSpan>>();
  subscribe(`${CHANNEL}:start`, (message) => {
    const { command, args } = message as Traced;
    open.set(
      message as Traced,
      beginSpan(() => {
        const name = nameOf(command, args);
        const attributes = { "db.system.name": "redis", "db.operation.name": name };
        return { name: `redis ${name}`, attributes };
      }),
    );
  });
  subscribe(`${CHANNEL}:asyncEnd`, (message) => {
    const { error } = message as Traced;
    open.get(message as Traced)?.end(error !== undefined && !isSentAgain(error.message));
  });
}

/**
 * Whether the client sends the command again: after a script's first call, or from the wrong node
 * of a cluster.
 */
function isSentAgain(refusal = ""): boolean {
  return /^(NOSCRIPT|MOVED|ASK) /.test(refusal);
}

const NAMES = new Map(
  Object.entries(scripts).flatMap(([name, { SHA1, SCRIPT }]) => [
    [SHA1, name],
    [SCRIPT, name],
  ]),
);

function nameOf(command: string, [, script = ""]: readonly string[]): string {
  return (command.startsWith("EVAL") && NAMES.get(script)) || command.toLowerCase();
}
