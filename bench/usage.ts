import { readdirSync, readFileSync } from "node:fs";

/** proc(5): times in /proc/<pid>/stat are in ticks of 1/100 s on Linux. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

export type Usage = Record<string, { cpuMs: number; memoryMb: number }>;

/** What each process, its children included, has used of the processor since it began, and its memory now. */
export function usageOf(processes: { name: string; pid: number }[]): Usage {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => read(Number(pid)) ?? []);
  const usage: Usage = {};
  for (const { name, pid } of processes) {
    const group = familyOf(pid, stats);
    usage[name] = {
      cpuMs: group.reduce((sum, { ticks }) => sum + ticks * TICK_MS, 0),
      memoryMb: group.reduce((sum, { pages }) => sum + (pages * PAGE_BYTES) / 2 ** 20, 0),
    };
  }
  return usage;
}

/** The process and all below it: PostgreSQL's own are each the leader of a group. */
function familyOf(pid: number, stats: Stat[]): Stat[] {
  const children = stats.filter(({ parent }) => parent === pid);
  return [
    ...stats.filter((stat) => stat.pid === pid),
    ...children.flatMap((child) => familyOf(child.pid, stats)),
  ];
}

type Stat = NonNullable<ReturnType<typeof read>>;

function read(pid: number) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold spaces; fields are counted behind it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const at = (field: number) => Number(fields[field - 3]);
    // utime, stime, and those of children that have been waited for.
    return { pid, parent: at(4), ticks: at(14) + at(15) + at(16) + at(17), pages: at(24) };
  } catch {
    return undefined;
  }
}
