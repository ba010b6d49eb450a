import { writeFileSync } from "node:fs";

/**
 * How many times the usual share of the processors a gateway gets when they are short: see
 * docs/decisions/0026.
 */
export const GATEWAY_WEIGHT = 28;
/** The nice value of a process group that has it. */
const NICE = "-15";

/**
 * Gives a gateway, which leads its own session, the weight that docker-compose.yml gives it.
 * Returns the weight that it then has: 1, as others, unless this is Linux with autogroups and root.
 */
export function comesFirst(pid: number): number {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, NICE);
    return GATEWAY_WEIGHT;
  } catch {
    return 1;
  }
}
