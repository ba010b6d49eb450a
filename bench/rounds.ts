import type { Result } from "./measure.ts";

/** What a load came to in all its rounds. */
export type Summary = Result & { leastPerSecond: number; mostPerSecond: number };

/**
 * The median round, figure by figure: a slow minute of the machine is then seen in the range and not
 * in the figures. What was refused is added up, how long a loop was blocked is the longest, and
 * memory is the last.
 */
export function summarize(rounds: readonly Result[]): Summary {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const longest = (of: keyof Result["blocked"]) =>
    Math.max(...rounds.map(({ blocked }) => blocked[of]));
  return {
    ...medians(rounds),
    errors: sums(rounds.map(({ errors }) => errors)),
    blocked: { ms: longest("ms"), byWorkMs: longest("byWorkMs") },
    memoryMb: rounds.at(-1)?.memoryMb ?? {},
    leastPerSecond: Math.min(...rates),
    mostPerSecond: Math.max(...rates),
  };
}

/** Each number within the values at its median; what is no number as in the first. */
export function medians<T>(values: readonly T[]): T {
  const [first] = values;
  if (typeof first === "number") {
    const sorted = (values as readonly number[]).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] as T;
  }
  if (typeof first !== "object" || first === null || Array.isArray(first)) return first as T;
  const fields = Object.keys(first) as (keyof T)[];
  // A round in which nothing came through has no latency.
  const of = (field: keyof T) =>
    values.map((value) => value[field]).filter((one) => one !== undefined);
  return Object.fromEntries(fields.map((field) => [field, medians(of(field))])) as T;
}

function sums(counts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [name, times] of counts.flatMap(Object.entries<number>))
    sum[name] = (sum[name] ?? 0) + times;
  return sum;
}
