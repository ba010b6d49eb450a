import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetUpError } from "./progress.ts";

/** In ms: longer than a gateway takes to finish open requests. */
const GRACE_MS = 15_000;
const RETRY_MS = 100;
const TAIL_LINES = 15;
const TAIL_BYTES = 16_384;

/** A program that runs beside this one, in its own process group, writing to its own log file. */
export type Child = {
  name: string;
  pid: number;
  /** Resolves with the reason, an exit code or a signal, when the program has ended. */
  exited: Promise<string>;
  /** Whether it was asked to end. */
  isStopping(): boolean;
  /** The last lines that it wrote. */
  tail(): string;
  /** Asks it to end, kills its group after 15 s, and resolves when it is gone. */
  stop(): Promise<void>;
  /** Kills its group at once. */
  kill(): void;
};

const running = new Set<Child>();
// However this process ends, unless it is killed, it leaves no program running.
process.on("exit", () => {
  for (const child of running) child.kill();
});

type Program = {
  name: string;
  program: string;
  args: string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What it is given on its standard input. */
  input?: string;
  stopSignal?: NodeJS.Signals;
};

/** Starts a program; throws a SetUpError when there is no such program. */
export type Launch = (program: Program) => Child;

/** Starts a program that only this process knows of; a stack also records its own in a file. */
export const launch: Launch = (options) => {
  const { name, program, args, logFile, input, stopSignal = "SIGTERM", ...spawnOptions } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w", 0o600);
  const process_ = spawn(program, args, {
    ...spawnOptions,
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", log, log],
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => {
    process_.once("error", (error) => resolve(error.message));
    process_.once("exit", (code, signal) => {
      resolve(signal ? `signal ${signal}` : `exit code ${code}`);
    });
  });
  if (process_.pid === undefined) throw new SetUpError(`${name}: ${program} cannot be started`);
  const pid = process_.pid;
  process_.stdin?.on("error", () => {}).end(input);

  let stopping = false;
  const child: Child = {
    name,
    pid,
    exited,
    isStopping: () => stopping,
    tail: () => lastLines(logFile),
    kill: () => signalGroup(pid, "SIGKILL"),
    async stop() {
      if (!running.has(child)) return;
      stopping = true;
      process_.kill(stopSignal);
      const ended = await Promise.race([exited, sleep(GRACE_MS, "", { ref: false })]);
      if (ended === "") child.kill();
      await exited;
    },
  };
  running.add(child);
  exited.then(() => running.delete(child));
  return child;
};

/** Stops everything that was launched, the last first, and resolves when all of it is gone. */
export async function stopAll(): Promise<void> {
  for (const child of [...running].reverse()) await child.stop();
}

function lastLines(file: string): string {
  const log = openSync(file, "r");
  const size = Math.min(fstatSync(log).size, TAIL_BYTES);
  const bytes = Buffer.alloc(size);
  readSync(log, bytes, 0, size, fstatSync(log).size - size);
  closeSync(log);
  return bytes.toString("utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/**
 * Resolves when `ready` does; throws with the child's last lines when it ends or takes too long.
 */
export async function waitUntilReady(
  child: Child,
  ready: () => Promise<unknown>,
  timeoutMs: number,
): Promise<void> {
  let ended: string | undefined;
  child.exited.then((reason) => {
    ended = reason;
  });
  const end = performance.now() + timeoutMs;
  let lastProblem: unknown;
  while (performance.now() < end) {
    if (ended !== undefined) break;
    try {
      await ready();
      return;
    } catch (error) {
      lastProblem = error;
    }
    await sleep(RETRY_MS);
  }
  const what =
    ended === undefined
      ? `was not ready within ${timeoutMs / 1000} s (${lastProblem instanceof Error ? lastProblem.message : lastProblem})`
      : `ended with ${ended}`;
  throw new SetUpError(`${child.name} ${what}. Its last lines:\n${child.tail()}`);
}
