import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf } from "./process-identity.ts";
import type { Child } from "./processes.ts";
import { type Report, SetUpError } from "./progress.ts";

const GRACE_MS = 15_000;

type Recorded = { name: string; pid: number; identity: string };
type Record_ = { pid: number; identity: string; url: string; children: Recorded[] };

export type StackLock = {
  /**
   * Records a child, so that the next start finds it if this process is killed. An ended child of
   * the same name is forgotten.
   */
  record(child: Child): void;
  release(): void;
};

/**
 * Makes this process the only stack on a data folder. Throws a SetUpError if another one runs.
 * Programs that a killed stack has left running are stopped first.
 */
export async function lockStack(folder: string, url: string, report: Report): Promise<StackLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "stack.json");
  const draft = `${file}.${process.pid}`;
  const mine: Record_ = { ...recordOf("start", process.pid), url, children: [] };
  const write = () => writeFileSync(draft, JSON.stringify(mine, null, 2), { mode: 0o600 });

  write();
  let orphans: Recorded[] = [];
  try {
    // A link is only made if there is no file yet, and no reader sees a half-written file.
    if (!link(draft, file)) {
      const other = read(file);
      if (other && isRunning(other)) {
        throw new SetUpError(`Second Step is already running (pid ${other.pid}) at ${other.url}`);
      }
      orphans = other?.children.filter(isRunning) ?? [];
      rmSync(file, { force: true });
      if (!link(draft, file)) throw new SetUpError("Another start was faster; nothing to do");
    }
  } finally {
    rmSync(draft, { force: true });
  }
  for (const orphan of orphans.reverse()) {
    report(`Stopping ${orphan.name} (pid ${orphan.pid}), left by a start that was killed`);
    await stopOrphan(orphan);
  }

  return {
    record(child) {
      mine.children = mine.children.filter((one) => one.name !== child.name || isRunning(one));
      mine.children.push(recordOf(child.name, child.pid));
      write();
      renameSync(draft, file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

function recordOf(name: string, pid: number): Recorded {
  return { name, pid, identity: identityOf(pid) ?? "" };
}

function isRunning({ pid, identity }: { pid: number; identity: string }): boolean {
  return identityOf(pid) === identity;
}

function read(file: string): Record_ | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record_;
  } catch {
    return undefined;
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function stopOrphan(orphan: Recorded): Promise<void> {
  process.kill(orphan.pid, "SIGTERM");
  const end = performance.now() + GRACE_MS;
  while (isRunning(orphan) && performance.now() < end) await sleep(100);
  if (isRunning(orphan)) process.kill(-orphan.pid, "SIGKILL");
  while (isRunning(orphan)) await sleep(100);
}
