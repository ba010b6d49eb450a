import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Child, type Launch, launch } from "../../scripts/processes.ts";

const run = promisify(execFile);
const STARTS = 10;
const AGAIN_MS = 500;

/** A process of the installation, with its children. A test can kill or freeze it at any moment. */
export type Part = {
  name: string;
  /** Whether it is started, and neither killed nor frozen. */
  up(): boolean;
  /** Resolves when it is ready to work. */
  start(): Promise<void>;
  /** Sends SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Sends SIGSTOP: the process keeps its connections and answers nothing. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The id of the current process. */
  pid(): number;
  /** Each end that no test asked for, with the last lines of its log. */
  deaths: string[];
};

/** A part that the given launcher starts; `log` holds what the process has written since. */
export function partOf(
  name: string,
  start: (launch: Launch, log: () => string) => Promise<unknown>,
): Part {
  let child: Child | undefined;
  let state: "down" | "starting" | "up" | "frozen" = "down";
  const deaths: string[] = [];
  let starts = 0;
  let logFile = "";
  let running = false;

  const launchCounted: Launch = (program) => {
    logFile = program.logFile.replace(/\.log$/, `.${++starts}.log`);
    const started = launch({ ...program, logFile });
    child = started;
    running = true;
    started.exited.then((reason) => {
      if (child === started) running = false;
      if (state === "up") deaths.push(`${name} ended with ${reason}:\n${started.tail()}`);
    });
    return started;
  };
  const current = () => {
    if (!child) throw new Error(`${name} was never started`);
    return child;
  };
  const signalAll = async (signal: NodeJS.Signals) => {
    if (!running) return;
    for (const pid of [current().pid, ...(await childrenOf(current().pid))]) {
      try {
        process.kill(pid, signal);
      } catch {
        // The process is already gone.
      }
    }
  };

  return {
    name,
    deaths,
    up: () => state === "up",
    pid: () => current().pid,
    async start() {
      state = "starting";
      for (let tries = 1; ; tries++) {
        try {
          await start(launchCounted, () => readFileSync(logFile, "utf8"));
          break;
        } catch (error) {
          // A part that it needs may be down.
          child?.kill();
          if (tries === STARTS) throw error;
          await sleep(AGAIN_MS);
        }
      }
      state = "up";
    },
    async kill() {
      state = "down";
      if (!child) return;
      await signalAll("SIGKILL");
      await child.exited;
    },
    async freeze() {
      state = "frozen";
      await signalAll("SIGSTOP");
    },
    async thaw() {
      await signalAll("SIGCONT");
      state = "up";
    },
  };
}

/** Found by parent id, because PostgreSQL's children are in process groups of their own. */
async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}
