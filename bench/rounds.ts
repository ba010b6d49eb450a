import type { Result } from "./measure.ts";

/** The result of a load over all its rounds. */
export type Summary = Result & { leastPerSecond: number; mostPerSecond: number };

/**
 * The median of the rounds, figure by figure: a slow minute of the machine then shows in the range,
 * not in the figures. Errors are added up, block times are the longest, and memory is the last.
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

/** The median of each number within the values; anything else is taken from the first value. */
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
