import { checkoutFolder } from "../scripts/folders.ts";
import type { Result } from "./measure.ts";
import { partsOf } from "./report.ts";
import { table } from "./table.ts";

type Node = {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
};
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[] };

/** A profiled process: what its threads used for each login, and the profiles of its scripts. */
export type Thread = {
  part: string;
  usedMs: Record<string, number>;
  scripts: { cpuMs: number; profile: Profile }[];
};

/** `group`: the package or folder of a function. */
type Cost = { where: string; group: string; what: string; ms: number };

const IDLE = "(idle)";
/**
 * The profiler's own: the script that starts and ends it, and the thread that builds the stacks.
 */
const OWN = { script: "dispatch", thread: "v8:ProfEvntProc" };
/** Rows of the table of functions. */
const FUNCTIONS = 30;
/** Smaller costs are put together. */
const LEAST_MS = 0.05;

/**
 * Where the CPU time of one login goes: by process and package, then by function. Profiles count
 * wall time, so each is scaled to the CPU time of its thread.
 */
export function describeProfile(result: Result, threads: Thread[]): string {
  const costs = threads.flatMap(scriptCosts);
  const unprofiled = partsOf(result.cpuMs).filter(
    (part) => part !== "load" && !threads.some((thread) => thread.part === part),
  );
  const groups: Cost[] = [
    ...sumBy(costs, "group"),
    ...threads.flatMap(otherThreads),
    ...unprofiled.map((where) => {
      const all = "all of it";
      return { where, group: all, what: all, ms: result.cpuMs[where] ?? 0 };
    }),
  ];
  const functions = sumBy(costs, "what").slice(0, FUNCTIONS);
  return [
    `One login by password and app, ${result.name}, ${result.perSecond} a second under the profiler, whose own cost is left out:`,
    table(
      ["process", "part", "CPU ms"],
      folded(groups).map(({ where, group, ms }) => [where, group, ms.toFixed(2)]),
    ),
    "The functions that take most themselves, what they call not counted:",
    table(
      ["process", "function", "CPU ms"],
      functions.map(({ where, what, ms }) => [where, what, ms.toFixed(2)]),
    ),
  ].join("\n\n");
}

/** The self time of each function in a process's scripts, in CPU ms for each login. */
function scriptCosts({ part, scripts }: Thread): Cost[] {
  return scripts.flatMap(({ cpuMs, profile }) => {
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    const samples = profile.samples.flatMap((id, index) => {
      const frame = frames.get(id);
      const wall = profile.timeDeltas[index] ?? 0;
      return frame && frame.functionName !== IDLE ? [{ frame, wall }] : [];
    });
    const scale = cpuMs / samples.reduce((sum, { wall }) => sum + wall, 0);
    const costs = samples.map(({ frame, wall }) => ({
      where: part,
      ...nameOf(frame),
      ms: wall * scale,
    }));
    return sumBy(costs, "what").filter(({ what }) => what !== OWN.script);
  });
}

/**
 * Threads that run no script of their own: the pool that hashes, the Temporal SDK's Rust core, the
 * collector.
 */
function otherThreads({ part: where, usedMs, scripts }: Thread): Cost[] {
  const scripted = scripts.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return Object.entries(usedMs)
    .filter(([name]) => name !== OWN.thread)
    .map(([name, ms]) => {
      // Main and workflow threads have the same name as Node's pools.
      const isNode = name === "node";
      const group = isNode
        ? "Node's other threads: password hash, garbage collector, compiler"
        : `threads named ${name}`;
      return { where, group, what: group, ms: isNode ? Math.max(0, ms - scripted) : ms };
    });
}

function nameOf({ functionName, url, lineNumber }: Node["callFrame"]): {
  group: string;
  what: string;
} {
  const name = functionName || "(anonymous)";
  if (url === "") return { group: name.startsWith("(") ? name : "native calls", what: name };
  const place = url
    .replace(/^file:\/\//, "")
    .replace(`${checkoutFolder}/`, "")
    .replace(/^.*node_modules\//, "")
    .replace(/^.*workflow-bundle[\w-]*/, "workflow-bundle");
  return { group: groupOf(place), what: `${name} ${place}:${lineNumber + 1}` };
}

function groupOf(place: string): string {
  if (place.startsWith("node:")) return "Node's own modules";
  if (place.startsWith("evalmachine")) return "workflow sandbox";
  if (place.startsWith("workflow-bundle"))
    return "workflow bundle: flows, machines, XState, the SDK";
  const [first = "", second = ""] = place.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** The sums of costs with the same process and the same group or function, greatest first. */
function sumBy(costs: Cost[], by: "group" | "what"): Cost[] {
  const sums = new Map<string, Cost>();
  for (const cost of costs) {
    const key = `${cost.where} ${cost[by]}`;
    sums.set(key, { ...cost, ms: (sums.get(key)?.ms ?? 0) + cost.ms });
  }
  return [...sums.values()].sort((a, b) => b.ms - a.ms);
}

/** Sorted by process and cost; the smallest costs of a process are one row. */
function folded(rows: Cost[]): Cost[] {
  const order = [...new Set(rows.map(({ where }) => where))];
  return order.flatMap((part) => {
    const own = rows.filter(({ where }) => where === part).sort((a, b) => b.ms - a.ms);
    const shown = own.filter(({ ms }) => ms >= LEAST_MS);
    const rest = own.filter(({ ms }) => ms < LEAST_MS).reduce((sum, { ms }) => sum + ms, 0);
    return rest >= LEAST_MS
      ? [...shown, { where: part, group: "the rest", what: "", ms: rest }]
      : shown;
  });
}
