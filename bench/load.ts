import { setTimeout as sleep } from "node:timers/promises";

/** One unit of work; it notes what its calls took, in ms. False when there is no more to do. */
export type Work = (note: (name: string, ms: number) => void) => Promise<boolean>;

type Samples = { took: Record<string, number[]>; errors: Record<string, number>; done: number };

/** The result of a load; latencies in ms. */
export type Run = {
  seconds: number;
  done: number;
  latencyMs: Record<string, { p50: number; p95: number; p99: number }>;
  /** How often each error came, by its message. */
  errors: Record<string, number>;
};

/**
 * How work begins: by `clients`, each beginning when its last unit has ended, or at `rate` units a
 * second.
 */
export type Pace = { clients: number } | { rate: number };

/** Does the work at this pace for `seconds`, or until there is no more. */
export async function load(pace: Pace, seconds: number, work: Work): Promise<Run> {
  const samples: Samples = { took: {}, errors: {}, done: 0 };
  const begun = performance.now();
  const end = begun + seconds * 1000;
  const perform = () => performNoting(work, samples);
  if ("clients" in pace) await closedLoop(pace.clients, end, perform);
  else await openLoop(pace.rate, begun, end, perform);
  const { took, errors, done } = samples;
  const latencyMs = Object.fromEntries(
    Object.entries(took).map(([name, values]) => [name, percentiles(values)]),
  );
  return { seconds: (performance.now() - begun) / 1000, done, latencyMs, errors };
}

async function closedLoop(clients: number, end: number, perform: () => Promise<boolean>) {
  const client = async () => {
    while (performance.now() < end) if (!(await perform())) return;
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Begins work whether or not earlier work is done, so that waiting in line is measured too. */
async function openLoop(rate: number, begun: number, end: number, perform: () => Promise<boolean>) {
  const pending: Promise<boolean>[] = [];
  for (let n = 0; begun + (n * 1000) / rate < end; n++) {
    const wait = begun + (n * 1000) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(perform());
  }
  await Promise.all(pending);
}

/** Whether there is more to do. */
async function performNoting(work: Work, samples: Samples): Promise<boolean> {
  const { took, errors } = samples;
  try {
    const more = await work((name, ms) => {
      took[name] ??= [];
      took[name].push(ms);
    });
    if (more) samples.done += 1;
    return more;
  } catch (error) {
    const name = error instanceof Error ? error.message : String(error);
    errors[name] = (errors[name] ?? 0) + 1;
    return true;
  }
}

function percentiles(values: number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => {
    const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
    return Math.round((sorted[index] ?? 0) * 10) / 10;
  };
  return { p50: at(50), p95: at(95), p99: at(99) };
}
