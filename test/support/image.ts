import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, checkoutFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";

/** What .dockerignore keeps out of the image, and large folders that are not tracked. */
const LEFT = /^(\.(?!npmrc).*|bench|deploy|dist|docs|node_modules|test)$/;

/**
 * A folder with the files of the image, made by the commands of the Dockerfile. Hard links stand in
 * for `npm ci`, which would install the same packages again. Call `remove()` at the end.
 */
export async function imageFolder(): Promise<{ folder: string; remove: () => void }> {
  // In the cache, because hard links do not cross file systems.
  const folder = mkdtempSync(join(cacheFolder, "image-"));
  for (const name of readdirSync(checkoutFolder).filter((name) => !LEFT.test(name)))
    cpSync(join(checkoutFolder, name), join(folder, name), { recursive: true });
  const packages = realpathSync(join(checkoutFolder, "node_modules"));
  await runProgram("cp", ["-al", packages, join(folder, "node_modules")]);
  // npm writes this file in place, which would change the checkout's too.
  const installed = join(folder, "node_modules/.package-lock.json");
  rmSync(installed);
  cpSync(join(packages, ".package-lock.json"), installed);
  await runProgram("npm", ["run", "build"], { cwd: folder });
  await runProgram("npm", ["prune", "--omit=dev"], { cwd: folder });
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
