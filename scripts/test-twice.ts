import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { UNCAUGHT_FILE } from "./uncaught-reporter.ts";

/** The part of vitest's JSON report that is read here. */
type Results = {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
};

/**
 * A run of vitest: its exit code, its results if it came to any, and the number of uncaught errors
 * if it was reported.
 */
export type Run = { code: number; results?: Results; uncaught?: number };

/** Runs test files; all of them if none is named. */
export type RunTests = (files: string[]) => Promise<Run>;

/**
 * Runs all tests, and each file that failed once more alone, because a busy machine may be the
 * cause. Reports both line by line, and at last `N passed, N failed`. Resolves with the exit code,
 * which is 0 only if no file failed twice, every error was caught, and every run came to its
 * results. A run without a count of uncaught errors fails.
 */
export async function testTwice(runTests: RunTests, say: (line: string) => void): Promise<number> {
  const first = await runTests([]);
  if (!first.results) {
    say("The tests ended without results");
    return first.code || 1;
  }
  const { testResults } = first.results;
  let { numPassedTests: passed, numFailedTests: failed } = first.results;
  const fallen = testResults.filter(({ status }) => status !== "passed");
  // Something failed outside of every test: an error that nobody caught, or the set-up. A file that
  // passes alone does not make up for that.
  let code = fallen.length === 0 || first.uncaught !== 0 ? first.code : 0;
  if (first.uncaught !== 0) {
    say(`Errors that no test caught: ${first.uncaught ?? "not counted"}`);
    code ||= 1;
  }
  for (const file of fallen) {
    const name = relative(process.cwd(), file.name);
    const before = countsOf(file.assertionResults);
    const alone = await runTests([file.name]);
    const after = alone.results && {
      passed: alone.results.numPassedTests,
      failed: alone.results.numFailedTests,
    };
    say(`${name}: ${words(before)} among the others; alone ${after ? words(after) : "no results"}`);
    if (alone.code !== 0 || !after || after.failed > 0 || alone.uncaught === undefined)
      code ||= alone.code || 1;
    if (!after) continue;
    passed += after.passed - before.passed;
    failed += after.failed - before.failed;
  }
  say(`Files that failed among the others and were run once more alone: ${fallen.length}`);
  say(`${passed} passed, ${failed} failed`);
  return code;
}

function countsOf(tests: { status: string }[]) {
  const count = (wanted: string) => tests.filter(({ status }) => status === wanted).length;
  return { passed: count("passed"), failed: count("failed") };
}

const words = ({ passed, failed }: { passed: number; failed: number }) =>
  `${passed} passed, ${failed} failed`;

/** Runs vitest with further arguments; what it prints goes to this process's terminal. */
export function vitest(further: string[]): RunTests {
  return async (files) => {
    const folder = await mkdtemp(join(tmpdir(), "second-step-results-"));
    const output = join(folder, "results.json");
    const uncaught = join(folder, "uncaught");
    const args = ["node_modules/vitest/vitest.mjs", "run", ...files, ...further];
    args.push("--reporter=default", "--reporter=json", `--outputFile.json=${output}`);
    args.push(`--reporter=${join(import.meta.dirname, "uncaught-reporter.ts")}`);
    const env = { ...process.env, [UNCAUGHT_FILE]: uncaught };
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, args, { stdio: "inherit", env });
      child.once("error", reject);
      child.once("exit", (exit) => resolve(exit ?? 1));
    });
    const text = await readFile(output, "utf8").catch(() => "");
    const count = await readFile(uncaught, "utf8").catch(() => "");
    await rm(folder, { recursive: true });
    return {
      code,
      results: text ? (JSON.parse(text) as Results) : undefined,
      uncaught: count ? Number(count) : undefined,
    };
  };
}
