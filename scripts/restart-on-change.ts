import { watch } from "node:fs";
import { join } from "node:path";
import { checkoutFolder } from "./folders.ts";
import type { Report } from "./progress.ts";

/** Editors write a file in several steps: one restart is enough for all of them. */
const QUIET_MS = 100;

/** A part of the stack that runs code of these folders or files. */
export type Restarted = { name: string; sources: readonly string[]; restart(): Promise<void> };

/**
 * Restarts a part when one of its source files changes, and reports how long that took. A failed
 * restart is reported, and tried again after the next change. Returns a function that stops the
 * watching.
 */
export function restartOnChange(parts: readonly Restarted[], report: Report): () => void {
  const watchers = parts.flatMap((part) => {
    const changed = inTurn(async (file) => {
      report(`${file} changed: restarting the ${part.name}`);
      const begun = performance.now();
      try {
        await part.restart();
        report(`The ${part.name} is back after ${seconds(begun)} s`);
      } catch (error) {
        report(`${(error as Error).message}\nIt is started again after the next change.`);
      }
    });
    return part.sources.map((source) => {
      // A file is watched through its folder: editors replace the file, and a watch would stay with
      // the old one.
      const isFile = source.endsWith(".ts");
      const folder = isFile ? checkoutFolder : join(checkoutFolder, source);
      return watch(folder, { recursive: !isFile }, (_, file) => {
        if (file === null) return;
        if (isFile && file === source) changed(source);
        if (!isFile && SOURCE.test(file)) changed(join(source, file));
      });
    });
  });
  return () => {
    for (const watcher of watchers) watcher.close();
  };
}

const SOURCE = /\.(tsx?|js|css|json|sql)$/;

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);

/**
 * Calls `work` when no change has come for QUIET_MS. Calls do not overlap; a change during one
 * causes another one.
 */
function inTurn(work: (file: string) => Promise<void>): (file: string) => void {
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();
  return (file) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      underWay = underWay.then(() => work(file));
    }, QUIET_MS);
  };
}
