/** Pseudo-random numbers (mulberry32): the same seed gives the same numbers. */
export function chanceOf(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** At least 0 and less than `below`. */
    upTo: (below: number) => Math.floor(next() * below),
    pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
  };
}

export type Chance = ReturnType<typeof chanceOf>;
