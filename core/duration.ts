import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";

const UNITS = [
  ["hour", HOUR_MS],
  ["minute", MINUTE_MS],
  ["second", SECOND_MS],
] as const;

/** A duration in the largest unit that it exceeds, rounded up: "10 minutes". */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms > size) ?? UNITS[2];
  const n = Math.max(1, Math.ceil(ms / size));
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}
