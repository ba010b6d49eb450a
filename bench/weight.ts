import { writeFileSync } from "node:fs";

/** So many times the usual share of the processors a gateway has where they are short: docs/decisions/0026. */
export const GATEWAY_WEIGHT = 28;
/** The nice value of a process group that has it. */
const NICE = "-15";

/**
 * Gives a gateway, which leads a session of its own, the weight that it has by docker-compose.yml; answers
 * what it has then: 1, as others, where the system does not do that, which takes Linux with autogroups,
 * and root.
 */
export function comesFirst(pid: number): number {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, NICE);
    return GATEWAY_WEIGHT;
  } catch {
    return 1;
  }
}
