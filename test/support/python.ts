import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackage, installDebianPackages } from "../../scripts/debian.ts";
import { cacheFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";

const report = (line: string) => console.error(line);

/**
 * The `bin` folder of a Python environment in the project's cache, with the packages of a
 * requirements file from PyPI. Made once for each content of the file.
 */
export async function pythonPrograms(name: string, requirements: string): Promise<string> {
  const version = createHash("sha256")
    .update(readFileSync(requirements))
    .digest("hex")
    .slice(0, 12);
  const environment = join(cacheFolder, `${name}-${version}`);
  const programs = join(environment, "bin");
  const finished = join(environment, "finished");
  if (existsSync(finished)) return programs;
  rmSync(environment, { recursive: true, force: true });
  await makeEnvironment(environment);
  report(`Installing ${readFileSync(requirements, "utf8").trim().split("\n").join(", ")} by pip`);
  const quiet = ["--quiet", "--disable-pip-version-check"];
  await runProgram(join(programs, "python3"), [
    ...["-m", "pip", "install", ...quiet],
    ...["-r", requirements],
  ]);
  writeFileSync(`${finished}.partial`, "");
  renameSync(`${finished}.partial`, finished);
  return programs;
}

async function makeEnvironment(folder: string): Promise<void> {
  const python = await ensureDebianPackage("python3", "python3", report);
  const canInstall = await runProgram(python, ["-c", "import ensurepip, venv"]).then(
    () => true,
    () => false,
  );
  // Debian has `venv` in a package of its own.
  if (!canInstall) await installDebianPackages(["python3-venv"], report);
  report("Making a Python environment for the tests");
  await runProgram(python, ["-m", "venv", folder]);
}
