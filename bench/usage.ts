import { readdirSync, readFileSync } from "node:fs";

/** proc(5): times in /proc/<pid>/stat are in ticks of 1/100 s on Linux. */
const TICK_MS = 10;

export type Usage = Record<string, { cpuMs: number; memoryMb: number }>;
export type Process = { part: string; pid: number };

/**
 * The CPU time that each part's processes, children included, have used since they began, and their
 * memory now.
 */
export function usageOf(processes: Process[]): Usage {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(`/proc/${pid}`) ?? []);
  const usage: Usage = {};
  for (const { part, pid } of processes) {
    usage[part] ??= { cpuMs: 0, memoryMb: 0 };
    for (const one of familyOf(pid, stats)) {
      usage[part].cpuMs += one.cpuMs;
      usage[part].memoryMb += memoryMbOf(one.pid);
    }
  }
  return usage;
}

/** The CPU time that a process's threads have used so far, in ms, by thread name. */
export function threadsOf(pid: number): Record<string, number> {
  const used: Record<string, number> = {};
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = statOf(`/proc/${pid}/task/${thread}`);
    if (stat) used[stat.name] = (used[stat.name] ?? 0) + stat.cpuMs;
  }
  return used;
}

/**
 * The process and its descendants. Groups would not do: each process of PostgreSQL leads its own.
 */
function familyOf(pid: number, stats: Stat[]): Stat[] {
  const children = stats.filter(({ parent }) => parent === pid);
  return [
    ...stats.filter((stat) => stat.pid === pid),
    ...children.flatMap((child) => familyOf(child.pid, stats)),
  ];
}

type Stat = NonNullable<ReturnType<typeof statOf>>;

function statOf(folder: string) {
  try {
    const text = readFileSync(`${folder}/stat`, "utf8");
    // The name, in parentheses, may hold spaces; fields are counted behind it.
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    const at = (field: number) => Number(fields[field - 3]);
    // utime, stime, and those of children that have been waited for.
    const ticks = at(14) + at(15) + at(16) + at(17);
    const name = text.slice(text.indexOf("(") + 1, end);
    return { pid: Number.parseInt(text, 10), name, parent: at(4), cpuMs: ticks * TICK_MS };
  } catch {
    return undefined;
  }
}

/**
 * The proportional set size: memory that processes share (PostgreSQL's buffers, libraries) is
 * counted once.
 */
function memoryMbOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
