import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cachedPrograms } from "./folders.ts";
import { SetUpError } from "./progress.ts";

/** The path of the first of these programs that is on PATH, else in the project's cache. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return [...folders, cachedPrograms]
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const running = new Set<ChildProcess>();
// An interrupted set-up leaves no build or installation running.
process.on("exit", () => {
  for (const child of running) child.kill();
});

type RunOptions = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
};

/** Runs a program to its end and resolves with what it wrote; a failure quotes its last lines. */
export function runProgram(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let written = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      written += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      running.delete(child);
      if (code === 0) return resolve(written);
      const lines = `${written}\n${errors}`.trim().split("\n").slice(-20).join("\n  ");
      reject(
        new SetUpError(`${program} ${args.join(" ")} ended with ${code ?? signal}:\n  ${lines}`),
      );
    });
  });
}
