import type { Report } from "../scripts/progress.ts";
import { allLoads } from "./loads.ts";
import { openMeasuring, type Result } from "./measure.ts";
import { openChallenges } from "./open-challenges.ts";
import type { Options } from "./options.ts";
import { costOf, partsOf } from "./report.ts";
import { loadRows } from "./rows.ts";
import { type BenchStack, startStack } from "./stack.ts";
import { table } from "./table.ts";

type Variation = { name: string } & Partial<
  Pick<Options, "rows" | "openChallenges" | "gateways" | "workers" | "temporal" | "hash">
>;

const CLIENTS = 32;

/**
 * The variations; each has its own stack. The first of a group is what the others are compared
 * with.
 */
const VARIATIONS: Variation[] = [
  { name: "1,000 rows of users", rows: 1_000 },
  { name: "100,000 rows of users", rows: 100_000 },
  { name: "1,000,000 rows of users", rows: 1_000_000 },
  { name: "1 gateway, 1 worker" },
  { name: "2 gateways, 1 worker", gateways: 2 },
  { name: "1 gateway, 2 workers", workers: 2 },
  { name: "2 gateways, 2 workers", gateways: 2, workers: 2 },
  { name: "Temporal in memory", temporal: "memory" },
  { name: "Temporal on SQLite", temporal: "sqlite" },
  { name: "Temporal on PostgreSQL", temporal: "postgres" },
  { name: "without the hash", hash: false },
  { name: "100 open challenges", openChallenges: 100 },
  { name: "1,000 open challenges", openChallenges: 1_000 },
  { name: "10,000 open challenges", openChallenges: 10_000 },
  { name: "100,000 open challenges", openChallenges: 100_000 },
];

export type Grown = { name: string; result: Result };

/** Fills a stack with as many users and open challenges as the options say. */
export async function fill(
  stack: BenchStack,
  { rows, openChallenges: open }: Pick<Options, "rows" | "openChallenges">,
  report: Report,
) {
  if (rows > 0) {
    report(`Making ${rows} rows of users, devices and events`);
    await loadRows(stack.env.DATABASE_URL, rows);
  }
  if (open > 0) {
    report(`Beginning ${open} challenges`);
    await openChallenges(stack, open);
  }
}

/**
 * Measures password + OTP at 32 clients under each variation whose name holds `only`, one by one.
 */
export async function* measureGrowth(options: Options, report: Report): AsyncGenerator<Grown> {
  const [load] = allLoads([CLIENTS]);
  if (!load) throw new Error("There are no loads");
  for (const { name, ...varied } of VARIATIONS.filter(({ name }) => name.includes(options.only))) {
    report(name);
    const wanted = { ...options, ...varied };
    const stack = await startStack(wanted, { report });
    try {
      await fill(stack, wanted, report);
      const { users, hash, seconds } = wanted;
      const measuring = await openMeasuring({ stack, users, hash, report });
      await measuring.warmUp(load);
      const result = await measuring.measure(load, seconds);
      measuring.close();
      yield { name, result };
    } finally {
      await stack.stop();
    }
  }
}

/** How cost grows, as a Markdown table. */
export function describeGrowth(grown: Grown[]): string {
  const parts = [...new Set(grown.flatMap(({ result }) => partsOf(result.cpuMs)))];
  const rows = grown.map(({ name, result }) => {
    const { login, verify } = result.latencyMs;
    const errors = Object.values(result.errors).reduce((sum, times) => sum + times, 0);
    const shares = parts.map((part) => result.cpuMs[part]?.toFixed(1) ?? "-");
    const latency = [login, verify].map((of) => (of ? `${of.p50} / ${of.p99}` : "-"));
    return [name, result.perSecond, ...latency, ...shares, costOf(result), errors];
  });
  const latency = ["login p50 / p99", "verify p50 / p99"];
  return table(["", "logins/s", ...latency, ...parts, "CPU ms each", "refused"], rows);
}
