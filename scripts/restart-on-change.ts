import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
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
  const stops = parts.map((part) => {
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
    return watchSources(part.sources, changed);
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/**
 * Calls `changed` with each source file that is written or replaced. Every folder is watched on its
 * own: a recursive watch of Node 20 stays with a file's inode, so it loses a file that an editor or
 * git has replaced.
 */
function watchSources(sources: readonly string[], changed: (file: string) => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  const belongs = (file: string) =>
    sources.some((source) => file === source || file.startsWith(`${source}/`));

  const watchFolder = (folder: string) => {
    watchers.get(folder)?.close();
    const watcher = watch(join(checkoutFolder, folder), (_, name) => {
      if (name === null) return;
      const file = join(folder, name);
      if (!belongs(file)) return;
      if (SOURCE.test(file)) changed(file);
      // A folder that is new, or new again after a git checkout.
      else if (isFolder(file)) for (const found of watchAll(file)) changed(found);
    });
    watchers.set(folder, watcher);
  };
  /** Watches the folder and the folders in it. Returns the source files in them. */
  const watchAll = (folder: string): string[] => {
    watchFolder(folder);
    return readdirSync(join(checkoutFolder, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return watchAll(path);
      return SOURCE.test(path) ? [path] : [];
    });
  };

  watchFolder("");
  for (const source of sources.filter(isFolder)) watchAll(source);
  return () => {
    for (const watcher of watchers.values()) watcher.close();
  };
}

const isFolder = (path: string) =>
  statSync(join(checkoutFolder, path), { throwIfNoEntry: false })?.isDirectory() === true;

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
