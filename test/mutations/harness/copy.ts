import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { cacheFolder, checkoutFolder } from "../../../scripts/folders.ts";

/** Folders that are not copied. Packages and programs are linked instead. */
const LEFT = new Set([".git", ".data", ".cache", "node_modules", "results", ".stryker-tmp"]);

/** A copy of the project, into which mistakes are put. */
export async function copyProject() {
  const folder = await mkdtemp(join(tmpdir(), "second-step-mutation-"));
  await cp(checkoutFolder, folder, {
    recursive: true,
    filter: (source) => relative(checkoutFolder, source) === "" || !LEFT.has(basename(source)),
  });
  await symlink(join(checkoutFolder, "node_modules"), join(folder, "node_modules"));
  await symlink(cacheFolder, join(folder, ".cache"));
  return {
    folder,
    /** Changes a file while the work runs, then restores it. */
    async with<T>(file: string, change: (text: string) => string, work: () => Promise<T>) {
      const path = join(folder, file);
      const text = await readFile(path, "utf8");
      await writeFile(path, change(text));
      try {
        return await work();
      } finally {
        await writeFile(path, text);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export type Copy = Awaited<ReturnType<typeof copyProject>>;
