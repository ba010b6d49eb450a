/** How much may be under way before others give way to it, and for how long they do, in ms. */
type Rule = { most: number; patienceMs: number };

/** Lets work that is nearly done go before work that begins: see docs/decisions/0026. */
export function rightOfWay({ most, patienceMs }: Rule) {
  let underWay = 0;
  const waiting = new Set<() => void>();

  return {
    /** Does the work, to which others give way meanwhile. Throws what it throws. */
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

    /** Resolves when less than `most` is under way, or the patience is at its end. */
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
