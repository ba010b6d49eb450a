/** Two kinds of requests whose times are to be told apart, or not. */
export type Comparison = {
  /** How likely a time of the second kind is longer than one of the first: 0.5 where nothing differs. */
  superiority: number;
  /** How far from 0.5 chance alone takes it once in 1.7 million times (five standard errors). */
  bound: number;
  medians: [ms: number, ms: number];
};

/**
 * Times the kinds of requests in ms, so many of each, in random order and one after the other, so
 * that whatever else the machine does meets all of them alike.
 */
export async function timeKinds<Kind extends string>(
  kinds: Record<Kind, (sample: number) => Promise<void>>,
  samples: number,
): Promise<Record<Kind, number[]>> {
  const names = Object.keys(kinds) as Kind[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Kind,
    number[]
  >;
  for (let sample = 0; sample < samples; sample++)
    for (const name of shuffled(names)) {
      const begun = performance.now();
      await kinds[name](sample);
      times[name].push(performance.now() - begun);
      // What a request leaves to be done after its answer is done before the next is timed.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  return times;
}

/**
 * The Mann-Whitney statistic, as the probability of superiority: it asks nothing of how times are
 * spread, so that a few slow ones on a busy machine weigh no more than a few.
 */
export function compare(first: readonly number[], second: readonly number[]): Comparison {
  let longer = 0;
  for (const a of first) for (const b of second) longer += b > a ? 1 : b === a ? 0.5 : 0;
  const [n, m] = [first.length, second.length];
  return {
    superiority: longer / (n * m),
    bound: 5 * Math.sqrt((n + m + 1) / (12 * n * m)),
    medians: [median(first), median(second)],
  };
}

/** Whether the times of two kinds differ by more than chance. */
export const differs = ({ superiority, bound }: Comparison) => Math.abs(superiority - 0.5) > bound;

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
