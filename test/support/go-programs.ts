import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cachedPrograms, cacheFolder } from "../../scripts/folders.ts";
import { findProgram, runProgram } from "../../scripts/programs.ts";

/** What tests build with Go. `.ci/run` builds all of them before the tests, which need the processors. */
export const GO_PROGRAMS = {
  helm: "helm.sh/helm/v3/cmd/helm@v3.16.4",
  compose: "github.com/compose-spec/compose-go/v2/cmd@v2.4.9",
};

/**
 * The path of a program that Go builds from `source` (`path@version`), once for each version. Go
 * names it by the last part of its path. Throws if Go is missing or the build fails.
 */
export async function goProgram(source: string): Promise<string> {
  const [path = "", version = ""] = source.split("@");
  const program = join(cachedPrograms, `${path.replaceAll("/", "-")}-${version}`);
  if (existsSync(program)) return program;
  const go = findProgram("go");
  if (!go) throw new Error(`Install Go (https://go.dev/dl) to build ${source}`);
  const building = join(cacheFolder, `go-build-${process.pid}`);
  mkdirSync(cachedPrograms, { recursive: true });
  console.error(`Building ${source} with Go; this takes some minutes, once`);
  await runProgram(go, ["install", source], {
    cwd: cacheFolder,
    env: { ...process.env, GOBIN: building, CGO_ENABLED: "0" },
  });
  renameSync(join(building, path.split("/").at(-1) as string), program);
  return program;
}
