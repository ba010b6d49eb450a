import type { Floor } from "./floor.ts";
import { type Result, round } from "./measure.ts";
import type { Summary } from "./rounds.ts";
import { table } from "./table.ts";
import type { Usage } from "./usage.ts";

/** One run of the bench, as it is written to JSON. */
export type RunReport = {
  at: string;
  machine: { cpus: number; model: string; memoryGb: number; node: string };
  /** The options of the run, and the weight that the gateways got. */
  settings: Record<string, string | number | boolean>;
  /** CPU ms of one verification of a password. */
  hashMs: number;
  workerReadyS: number;
  idleMb: Record<string, number>;
  floor: Floor;
  results: Summary[];
};

/** The parts in the order in which a request reaches them; the bench's own load comes last. */
const PARTS = [
  "gateway",
  "worker",
  "Temporal",
  "Temporal's PostgreSQL",
  "PostgreSQL",
  "Redis",
  "load",
];

export const partsOf = (of: Record<string, unknown>) => PARTS.filter((part) => part in of);

/** CPU ms of one unit of work, over all parts but the bench's own. */
export const costOf = ({ cpuMs }: Pick<Result, "cpuMs">) =>
  round(Object.entries(cpuMs).reduce((sum, [part, ms]) => sum + (part === "load" ? 0 : ms), 0));

/** The results of a run, as Markdown. */
export function describe(report: RunReport): string {
  const { results, machine } = report;
  const set = Object.entries(report.settings).map(([name, value]) => `${name} ${value}`);
  return [
    `${machine.cpus} cores (${machine.model}), ${machine.memoryGb} GiB, Node ${machine.node}, ${report.at.slice(0, 10)}; ${set.join(", ")}.`,
    speed(results),
    "The floor, in the same rounds: a workflow that does nothing but take one Update, CPU milliseconds by process:",
    floor(report.floor),
    "CPU milliseconds for each, by process (the load is the bench's own, and is not in the sum):",
    cost(results),
    memory(report),
  ].join("\n\n");
}

/** What each load writes, and the events of its workflows, as Markdown. */
export function describeWrites({ results }: RunReport): string {
  return [
    "Writes for each, and how long a gateway's event loop was blocked at most:",
    writes(results),
    events(results),
  ].join("\n\n");
}

function speed(results: Summary[]): string {
  const rows = results.map(({ name, latencyMs, errors, ...rate }) => [
    name,
    rate.perSecond,
    `${rate.leastPerSecond} to ${rate.mostPerSecond}`,
    Object.entries(latencyMs)
      .map(([call, { p50, p95, p99 }]) => `${call} ${p50} / ${p95} / ${p99}`)
      .join(", "),
    Object.entries(errors)
      .map(([error, times]) => `${times} × ${error}`)
      .join(", "),
  ]);
  return table(
    ["load", "a second", "in the rounds", "requests, ms: p50 / p95 / p99", "refused"],
    rows,
  );
}

function cost(results: Result[]): string {
  const parts = partsOf(results[0]?.cpuMs ?? {});
  const rows = results.map((result) => [
    result.name,
    ...parts.map((part) => (result.cpuMs[part] ?? 0).toFixed(2)),
    costOf(result).toFixed(1),
  ]);
  return table(["load", ...parts, "sum"], rows);
}

function floor(costs: Floor): string {
  const parts = Object.keys(costs[1]?.cpuMs ?? {});
  const rows = Object.entries(costs).map(([clients, cost]) => {
    const { p50, p95, p99 } = cost.latencyMs.update ?? {};
    const shares = [...parts.map((part) => cost.cpuMs[part] ?? 0), costOf(cost)];
    const each = shares.map((ms) => ms.toFixed(1));
    return [clients, cost.perSecond, `${p50} / ${p95} / ${p99}`, ...each];
  });
  const headings = ["clients", "a second", "Update, ms: p50 / p95 / p99", ...parts, "sum"];
  return table(headings, rows);
}

function writes(results: Result[]): string {
  const rows = results.map(({ name, each, blocked, events }) => [
    name,
    events.length,
    round(each.pgTransactions),
    round(each.pgRows),
    round(each.walBytes / 1024),
    round(each.redisCommands),
    blocked.ms,
    blocked.byWorkMs,
  ]);
  const postgres = ["PostgreSQL transactions", "rows", "WAL, kB"];
  const blocked = ["blocked, ms", "by its own work"];
  return table(["load", "Temporal events", ...postgres, "Redis commands", ...blocked], rows);
}

/** The events of each kind of workflow. */
function events(results: Result[]): string {
  const kinds = new Map(
    results.toReversed().map(({ name, events }) => [name.split(",")[0] as string, events]),
  );
  return [...kinds]
    .filter(([, events]) => events.length > 0)
    .map(([kind, events]) => `The history of ${kind}: ${events.join(", ")}.`)
    .join("\n\n");
}

function memory({ idleMb, workerReadyS, results, hashMs }: RunReport): string {
  const last = results.at(-1)?.memoryMb ?? {};
  const parts = partsOf(idleMb);
  const rows = [
    ["idle", ...parts.map((part) => idleMb[part] ?? 0)],
    ["after the loads", ...parts.map((part) => last[part] ?? 0)],
  ];
  return [
    "Memory in MB (proportional set size, so that what processes share is counted once):",
    table(["", ...parts], rows),
    `The worker asked for work ${round(workerReadyS)} s after it was started. One password hash costs ${round(hashMs)} CPU ms.`,
  ].join("\n\n");
}

/** Rounded memory by part. */
export const memoryOf = (usage: Usage) =>
  Object.fromEntries(
    Object.entries(usage).map(([part, { memoryMb }]) => [part, Math.round(memoryMb)]),
  );
