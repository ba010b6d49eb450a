import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetUpError } from "./progress.ts";

const GRACE_MS = 10_000;
const RETRY_MS = 100;

/** A program that runs beside this one, in its own process group, writing to its own log file. */
export type Child = {
  name: string;
  pid: number;
  /** Resolves with the reason, an exit code or a signal, when the program has ended. */
  exited: Promise<string>;
  /** The last lines that it wrote. */
  tail(): string;
  /** Asks it to end, kills its group after ten seconds, and resolves when it is gone. */
  stop(): Promise<void>;
  /** Kills its group at once. */
  kill(): void;
};

const running = new Set<Child>();
// Whatever way this process ends, short of being killed itself, nothing that it started stays.
process.on("exit", () => {
  for (const child of running) child.kill();
});

/** Starts a program. It is given `input`, if any, on its standard input. */
export function launch(options: {
  name: string;
  program: string;
  args: string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  input?: string;
  stopSignal?: NodeJS.Signals;
}): Child {
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

  const child: Child = {
    name,
    pid,
    exited,
    tail: () => readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n"),
    kill: () => signalGroup(pid, "SIGKILL"),
    async stop() {
      if (!running.has(child)) return;
      process_.kill(stopSignal);
      const ended = await Promise.race([exited, sleep(GRACE_MS, "", { ref: false })]);
      if (ended === "") child.kill();
      await exited;
    },
  };
  running.add(child);
  exited.then(() => running.delete(child));
  return child;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Resolves when `ready` does; throws with the child's last lines when it ends or takes too long. */
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
  await child.stop();
  throw new SetUpError(`${child.name} ${what}. Its last lines:\n${child.tail()}`);
}
