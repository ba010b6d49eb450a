type Rule<T> = {
  /** The answer where reading fails or takes too long. */
  otherwise: T;
  /** For how long, in ms, a reading serves later callers. */
  freshMs?: number;
  /** How long, in ms, a caller waits. */
  patienceMs?: number;
};

/**
 * A reading of a store for metrics: made at most once in `freshMs`, and never two at a time, however
 * many ask. Answers within `patienceMs`. Never throws.
 */
export function sharedReading<T>(
  read: () => Promise<T>,
  { otherwise, freshMs = 5_000, patienceMs = 1_000 }: Rule<T>,
): () => Promise<T> {
  let reading: Promise<T> | undefined;
  const forget = () => {
    reading = undefined;
  };
  return () => {
    // Kept from its end on, so that a store that hangs gets one question, not one for each caller.
    reading ??= read()
      .catch(() => otherwise)
      .finally(() => setTimeout(forget, freshMs).unref());
    return Promise.race([reading, late(otherwise, patienceMs)]);
  };
}

function late<T>(otherwise: T, patienceMs: number): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, patienceMs, otherwise).unref());
}
