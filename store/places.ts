/**
 * Places for work in this process, a number for each key, such as an account. The function takes
 * one of `most` places and answers what gives it back, or undefined if none is free.
 */
export function placesPerKey() {
  const taken = new Map<string, number>();
  return (key: string, most: number): (() => void) | undefined => {
    const now = taken.get(key) ?? 0;
    if (now >= most) return undefined;
    taken.set(key, now + 1);
    return () => {
      const left = (taken.get(key) ?? 1) - 1;
      if (left === 0) taken.delete(key);
      else taken.set(key, left);
    };
  };
}
