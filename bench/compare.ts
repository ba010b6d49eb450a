import { costOf, type RunReport } from "./report.ts";
import { table } from "./table.ts";

/**
 * Ratios to the baseline's loads of the same names. Absolute figures say little: they differ by
 * machine and by hour.
 */
export function compare({ results }: RunReport, baseline: RunReport): string {
  const rows = results.flatMap((result) => {
    const base = baseline.results.find(({ name }) => name === result.name);
    if (!base) return [];
    const latencies = Object.entries(result.latencyMs).flatMap(([call, { p50, p99 }]) => {
      const before = base.latencyMs[call];
      return before ? [`${call} ${ratio(p50, before.p50)} / ${ratio(p99, before.p99)}`] : [];
    });
    const faster = ratio(result.perSecond, base.perSecond);
    return [[result.name, faster, ratio(costOf(result), costOf(base)), latencies.join(", ")]];
  });
  return table(["of the baseline", "a second", "CPU", "p50 / p99"], rows);
}

const ratio = (now: number, before: number) => `${(now / before).toFixed(2)} ×`;
