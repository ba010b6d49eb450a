import { checkoutFolder } from "../scripts/folders.ts";
import type { Result } from "./measure.ts";
import { costOf, partsOf } from "./report.ts";
import { table } from "./table.ts";

type Node = {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
};
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[] };

/** A process under profile: what its threads used for each login, and what its scripts did in it. */
export type Thread = {
  part: string;
  usedMs: Record<string, number>;
  scripts: { cpuMs: number; profile: Profile }[];
};

type Cost = { where: string; what: string; ms: number };

const IDLE = "(idle)";
/** Rows of the table of functions. */
const FUNCTIONS = 30;
/** What is less is put together. */
const LEAST_MS = 0.05;

/**
 * Where the CPU time of one login goes: by process and package, then by function. Profiles count
 * wall time; each is brought to what its thread used of the processor.
 */
export function describeProfile(result: Result, threads: Thread[]): string {
  const costs = threads.flatMap(scriptCosts);
  const packages = sumBy(costs, ({ where, what }) => `${where}|${packageOf(what)}`);
  const rows: Cost[] = [
    ...packages.map(([key, ms]) => ({ ...split(key), ms })),
    ...threads.flatMap(otherThreads),
    ...partsOf(result.cpuMs)
      .filter((part) => part !== "load" && !threads.some((thread) => thread.part === part))
      .map((part) => ({ where: part, what: "all of it", ms: result.cpuMs[part] ?? 0 })),
  ];
  const functions = sumBy(costs, ({ where, what }) => `${where}|${what}`).slice(0, FUNCTIONS);
  return [
    `One login by password and app costs ${costOf(result)} CPU ms over all processes, at ${result.perSecond} a second (${result.name}, profiler on).`,
    table(
      ["process", "part", "CPU ms"],
      folded(rows).map(({ where, what, ms }) => [where, what, ms.toFixed(2)]),
    ),
    "The functions that take most themselves, what they call not counted:",
    table(
      ["process", "function", "CPU ms"],
      functions.map(([key, ms]) => [split(key).where, split(key).what, ms.toFixed(2)]),
    ),
  ].join("\n\n");
}

/** The self time of each function in a process's scripts, in CPU ms for each login. */
function scriptCosts({ part, scripts }: Thread): Cost[] {
  return scripts.flatMap(({ cpuMs, profile }) => {
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    const samples = profile.samples.map((id, index) => {
      const frame = frames.get(id);
      return { what: frame ? nameOf(frame) : IDLE, ms: profile.timeDeltas[index] ?? 0 };
    });
    const busy = samples.filter(({ what }) => !what.startsWith(IDLE));
    const total = busy.reduce((sum, { ms }) => sum + ms, 0);
    return sumBy(busy, ({ what }) => what).map(([what, wall]) => ({
      where: part,
      what,
      ms: total === 0 ? 0 : (wall / total) * cpuMs,
    }));
  });
}

/** Threads that run no script of their own: the pool that hashes, the Temporal SDK's Rust core, the collector. */
function otherThreads({ part, usedMs, scripts }: Thread): Cost[] {
  const scripted = scripts.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const all = Object.entries(usedMs).map(([name, ms]) => ({
    where: part,
    what: `threads named ${name}`,
    ms,
  }));
  // Main and workflow threads share Node's name with its pools.
  return all.map((cost) =>
    cost.what === "threads named node"
      ? {
          ...cost,
          what: "Node's other threads: password hash, collector, compiler",
          ms: cost.ms - scripted,
        }
      : cost,
  );
}

/** `function file:line`, with packages by their name and our files by their path. */
function nameOf({ functionName, url, lineNumber }: Node["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const place = url
    .replace(/^file:\/\//, "")
    .replace(`${checkoutFolder}/`, "")
    .replace(/^.*node_modules\//, "");
  return `${name} ${place}:${lineNumber + 1}`;
}

function packageOf(what: string): string {
  const place = what.split(" ").at(-1) ?? what;
  if (/^\(/.test(what) && !what.includes(" /") && !place.includes("/")) return what;
  if (place.startsWith("node:")) return "node: its own modules";
  const [first = "", second = ""] = place.split("/");
  if (place.includes("workflow-bundle")) return "workflow bundle";
  return first.startsWith("@") ? `${first}/${second}` : first;
}

function sumBy(costs: { what: string; ms: number; where?: string }[], key: (cost: Cost) => string) {
  const sums = new Map<string, number>();
  for (const { where = "", ...cost } of costs) {
    const name = key({ where, ...cost });
    sums.set(name, (sums.get(name) ?? 0) + cost.ms);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}

const split = (key: string) => {
  const [where = "", what = ""] = key.split("|");
  return { where, what };
};

/** Sorted by process and cost, what is tiny in one row of its process. */
function folded(rows: Cost[]): Cost[] {
  const order = [...new Set(rows.map(({ where }) => where))];
  return order.flatMap((part) => {
    const own = rows.filter(({ where }) => where === part).sort((a, b) => b.ms - a.ms);
    const shown = own.filter(({ ms }) => ms >= LEAST_MS);
    const rest = own.filter(({ ms }) => ms < LEAST_MS).reduce((sum, { ms }) => sum + ms, 0);
    return rest >= LEAST_MS ? [...shown, { where: part, what: "the rest", ms: rest }] : shown;
  });
}
