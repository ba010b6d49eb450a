import { setTimeout as sleep } from "node:timers/promises";

/** How long each call took, in ms, by what it was; `errors` by what was answered instead. */
export type Samples = { took: Record<string, number[]>; errors: Record<string, number> };

export type Run = Samples & { seconds: number; done: number; clients?: number; rate?: number };

/** One unit of work; it notes what its calls took. */
export type Work = (note: (name: string, ms: number) => void) => Promise<void>;

const newSamples = (): Samples => ({ took: {}, errors: {} });

async function perform(work: Work, samples: Samples): Promise<boolean> {
  try {
    await work((name, ms) => {
      samples.took[name] ??= [];
      samples.took[name].push(ms);
    });
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.message : String(error);
    samples.errors[name] = (samples.errors[name] ?? 0) + 1;
    return false;
  }
}

/** So many clients, each beginning the next piece of work when it has finished one. */
export async function closedLoop(clients: number, seconds: number, work: Work): Promise<Run> {
  const samples = newSamples();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < end) if (await perform(work, samples)) done += 1;
    }),
  );
  return { ...samples, seconds: (performance.now() - begun) / 1000, done, clients };
}

/** Work begun at a fixed rate whether or not earlier work is done: what waits in line is measured too. */
export async function openLoop(rate: number, seconds: number, work: Work): Promise<Run> {
  const samples = newSamples();
  const begun = performance.now();
  const pending: Promise<boolean>[] = [];
  for (let n = 0; n < rate * seconds; n++) {
    const wait = begun + (n * 1000) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(perform(work, samples));
  }
  const done = (await Promise.all(pending)).filter(Boolean).length;
  return { ...samples, seconds: (performance.now() - begun) / 1000, done, rate };
}

/** The value below which so many per cent of the samples lie. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
