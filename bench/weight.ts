import { writeFileSync } from "node:fs";

/** A nice value at which the kernel gives a process group nine times the usual weight. */
const NICE = "-10";

/**
 * Lets a program that leads a session of its own come before others where processors are short, as
 * docker-compose.yml does by `cpu_shares`. Its weight from then on: 1, the usual one, where the system
 * does not do that, which takes Linux with autogroups, and root.
 */
export function comesFirst(pid: number): number {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, NICE);
    return 9;
  } catch {
    return 1;
  }
}
