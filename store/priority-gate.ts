/**
 * `most`: how many may be under way before other work waits. `patienceMs`: how long it waits at
 * most.
 */
type Rule = { most: number; patienceMs: number };

/** Lets work that is nearly done run before work that only starts: see docs/decisions/0026. */
export function priorityGate({ most, patienceMs }: Rule) {
  let underWay = 0;
  const waiting = new Set<() => void>();

  return {
    /** Runs the work; other work waits for it meanwhile. Throws what the work throws. */
    async first<T>(work: () => Promise<T>): Promise<T> {
      underWay++;
      try {
        return await work();
      } finally {
        underWay--;
        const [next] = waiting;
        if (underWay < most) next?.();
      }
    },

    /** Resolves when fewer than `most` are under way, or after `patienceMs`. */
    async giveWay(): Promise<void> {
      if (underWay < most) return;
      await new Promise<void>((resolve) => {
        const go = () => {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, patienceMs);
        waiting.add(go);
      });
    },
  };
}
