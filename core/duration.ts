const UNITS = [
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** A duration in the largest unit that it exceeds, rounded up: "10 minutes". */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms > size) ?? UNITS[2];
  const n = Math.max(1, Math.ceil(ms / size));
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
