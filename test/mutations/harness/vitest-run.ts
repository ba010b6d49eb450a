import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Services } from "../../support/services.ts";

/** How long the files of one mistake may take, in ms. */
const RUN_MS = 900_000;

type Assertion = { status: string; fullName: string; failureMessages: string[] };
type FileResult = {
  name: string;
  status: string;
  message: string;
  assertionResults: Assertion[];
};
type Results = { numPassedTests: number; testResults: FileResult[] };

/** A failure, and why: of a test by its name, or of a whole `file`, whose tests were not begun. */
export type Failure = { of: "test" | "file"; name: string; why: string };

/** What a run of vitest says; without results it was no run, and `output` tells why. */
export type Run = { passed: number; failures: Failure[]; output: string; ended: boolean };

/** Runs test files of a copy over the services, one file at a time, up to the first failure. */
export async function runVitest(folder: string, files: string[], services: Services): Promise<Run> {
  const results = join(folder, "results.json");
  await rm(results, { force: true });
  const args = ["node_modules/vitest/vitest.mjs", "run", ...files, "--bail=1"];
  args.push("--config", "test/mutation.config.ts");
  args.push("--no-file-parallelism", "--reporter=json", `--outputFile.json=${results}`);
  const env = { ...process.env, TEST_SERVICES: JSON.stringify(services) };
  // A run within a run of vitest is one of its own.
  for (const name of Object.keys(env))
    if (name.startsWith("VITEST")) Reflect.deleteProperty(env, name);
  const output = await new Promise<string>((resolve) =>
    execFile(
      process.execPath,
      args,
      { cwd: folder, env, timeout: RUN_MS, maxBuffer: 100_000_000 },
      (error, stdout, stderr) => resolve(`${error?.signal ?? ""}${stdout}${stderr}`),
    ),
  );
  const written = await readFile(results, "utf8").catch(() => "");
  if (!written) return { passed: 0, failures: [], output, ended: false };
  const { numPassedTests, testResults } = JSON.parse(written) as Results;
  const failures = testResults.flatMap(failuresOf);
  return { passed: numPassedTests, failures, output, ended: true };
}

function failuresOf({ name, status, message, assertionResults }: FileResult): Failure[] {
  const failed = assertionResults.filter((each) => each.status === "failed");
  if (failed.length === 0) return status === "failed" ? [{ of: "file", name, why: message }] : [];
  return failed.map(({ fullName, failureMessages }) => {
    return { of: "test", name: fullName, why: failureMessages.join("\n") };
  });
}
