import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { BenchStack } from "./stack.ts";

/**
 * In ms: the longest that a gateway's event loop was blocked, and the longest that its own work may
 * have blocked it.
 */
export type Blocked = { ms: number; byWorkMs: number };

/** The longest of what watch-loop.ts has noted since the last call. */
export function takeBlocked({ blockedFolder }: Pick<BenchStack, "blockedFolder">): Blocked {
  const files = readdirSync(blockedFolder).map((name) => join(blockedFolder, name));
  const noted = files.flatMap((file) => {
    const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
    truncateSync(file);
    return lines.map((line) => line.split(" ").map(Number));
  });
  const longest = (column: 0 | 1) => Math.max(0, ...noted.map((note) => note[column] ?? 0));
  return { ms: longest(0), byWorkMs: longest(1) };
}
