import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Child, type Launch, launch } from "../../scripts/processes.ts";

const run = promisify(execFile);
const STARTS = 10;
const AGAIN_MS = 500;

/** A process of the installation, with its children, that can be ended or stopped at any moment. */
export type Part = {
  name: string;
  /** Whether it has started, and is neither killed nor frozen. */
  up(): boolean;
  /** Resolves when it is ready to work. */
  start(): Promise<void>;
  /** SIGKILL: resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The id of the process that runs now. */
  pid(): number;
  /** Each time that it ended without being asked to, with its last words. */
  deaths: string[];
};

/** A part that `start` starts by the given launcher; `log` is all that it has written since. */
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
        // Gone already.
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
          // What it needs may be away itself.
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

/** PostgreSQL's are in process groups of their own. */
async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}
