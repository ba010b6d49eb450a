import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Services } from "../../support/services.ts";

/** ms. The time limit for all files of one mistake. */
const RUN_MS = 900_000;

type Assertion = { status: string; fullName: string; failureMessages: string[] };
type FileResult = {
  name: string;
  status: string;
  message: string;
  assertionResults: Assertion[];
};
type Results = { numPassedTests: number; testResults: FileResult[] };

/** A failure and its reason: of one test, or of a whole `file` whose tests did not start. */
export type Failure = { of: "test" | "file"; name: string; why: string };

/**
 * The result of a vitest run. If the run gave no results, `ended` is false and `output` says why.
 */
export type Run = { passed: number; failures: Failure[]; output: string; ended: boolean };

/** Runs test files of a copy over the services, one file at a time, up to the first failure. */
export async function runVitest(folder: string, files: string[], services: Services): Promise<Run> {
  const results = join(folder, "results.json");
  await rm(results, { force: true });
  const args = ["node_modules/vitest/vitest.mjs", "run", ...files, "--bail=1"];
  args.push("--config", "test/mutation.config.ts");
  args.push("--no-file-parallelism", "--reporter=json", `--outputFile.json=${results}`);
  const env = { ...process.env, TEST_SERVICES: JSON.stringify(services) };
  // This vitest run may be started by another one, whose variables must not reach it.
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
