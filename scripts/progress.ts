/** Says one line to whoever started the script. */
export type Report = (line: string) => void;

/** What went wrong, written for the person who has to act on it; it needs no stack trace. */
export class SetUpError extends Error {
  override name = "SetUpError";
}

const HEARTBEAT_MS = 10_000;

/** A report whose lines carry the seconds since now. */
export function reportSinceNow(write: Report = console.log): Report {
  const start = performance.now();
  return (line) =>
    write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s] ${line}`);
}

/** Waits for long work, saying every ten seconds that it still goes on and for how long it has. */
export async function withHeartbeat<T>(what: string, report: Report, work: Promise<T>): Promise<T> {
  const start = performance.now();
  const heartbeat = setInterval(() => {
    report(`${what}: still at it after ${Math.round((performance.now() - start) / 1000)} s`);
  }, HEARTBEAT_MS);
  try {
    return await work;
  } finally {
    clearInterval(heartbeat);
  }
}

/** Turns the failure of `work` into a SetUpError of one line, which begins with `what`. */
export async function explained<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof SetUpError) throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    throw new SetUpError(`${what}: ${message || code || error}`);
  }
}
