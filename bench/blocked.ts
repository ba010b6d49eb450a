import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { BenchStack } from "./stack.ts";

/** The longest that a gateway's event loop was blocked, and the longest that its own work can have blocked it, in ms. */
export type Blocked = { ms: number; byWorkMs: number };

/** What watch-loop.ts has noted since this was called last. */
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
