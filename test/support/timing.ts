/** The comparison of the times of two kinds of requests. */
export type Comparison = {
  /** The probability that the second kind takes longer than the first: 0.5 means no difference. */
  superiority: number;
  /**
   * Five standard errors: chance alone exceeds this distance from 0.5 once in 1.7 million times.
   */
  bound: number;
  medians: [ms: number, ms: number];
};

/**
 * Times `samples` requests of each kind, in ms. They run one at a time in random order, so that
 * other work of the machine affects all kinds equally.
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
      // Lets work that a request does after its answer finish before the next request is timed.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  return times;
}

/**
 * The Mann-Whitney statistic, as the probability of superiority. It assumes no distribution, so a
 * few very slow requests on a busy machine do not distort it.
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
