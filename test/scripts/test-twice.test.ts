import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { type Run, testTwice } from "../../scripts/test-twice.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(checkoutFolder, ".cache", "test-twice-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs what `.ci/run` runs, in a project with these files. */
async function runTests(files: Record<string, string>) {
  const config = "export default { test: { include: ['*.test.mjs'], globals: true } };";
  const all = { "vitest.config.mjs": config, ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  const args = ["--import", "tsx", "scripts/ci-tests.ts", "--root", folder];
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, CI: "true" };
  return new Promise<{ code: unknown; lines: string[] }>((resolve) =>
    execFile(process.execPath, args, { cwd: checkoutFolder, env }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, lines: stdout.trimEnd().split("\n") }),
    ),
  );
}

const GREEN = "test('adds', () => expect(1 + 1).toBe(2));";
const RED = "test('subtracts', () => expect(1 - 1).toBe(1));";
const COUNT = "Files that failed among the others and were run once more alone:";

/** A test that fails at its first run, which leaves a file behind, and passes at its second. */
const ONCE = `
  import { existsSync, writeFileSync } from "node:fs";
  test("falls once", () => {
    const again = existsSync("MARK");
    writeFileSync("MARK", "");
    expect(again).toBe(true);
  });
`;
const fallsOnce = () => ONCE.replaceAll("MARK", join(folder, "mark"));

test("if all pass, nothing is run again", async () => {
  const { code, lines } = await runTests({ "green.test.mjs": GREEN });
  expect(code).toBe(0);
  expect(lines.slice(-2)).toEqual([`${COUNT} 0`, "1 passed, 0 failed"]);
});

test("a file that fails once and passes alone is reported and counted, and the run passes", async () => {
  const files = { "green.test.mjs": GREEN, "once.test.mjs": `${GREEN}${fallsOnce()}` };
  const { code, lines } = await runTests(files);
  expect(code).toBe(0);
  expect(lines.at(-3)).toMatch(
    /once\.test\.mjs: 1 passed, 1 failed among the others; alone 2 passed, 0 failed$/,
  );
  expect(lines.slice(-2)).toEqual([`${COUNT} 1`, "3 passed, 0 failed"]);
});

test("a file that fails again alone fails the run", async () => {
  const { code, lines } = await runTests({ "green.test.mjs": GREEN, "red.test.mjs": RED });
  expect(code).not.toBe(0);
  expect(lines.at(-3)).toMatch(/0 passed, 1 failed among the others; alone 0 passed, 1 failed$/);
  expect(lines.slice(-2)).toEqual([`${COUNT} 1`, "1 passed, 1 failed"]);
});

test("a file that cannot start fails the run", async () => {
  const { code, lines } = await runTests({ "broken.test.mjs": "import './nowhere.mjs';" });
  expect(code).not.toBe(0);
  expect(lines.at(-2)).toBe(`${COUNT} 1`);
});

test("an error outside of every test fails the run, even if all tests pass", async () => {
  const late = "process.nextTick(() => { throw new Error('nobody catches this'); });";
  const { code, lines } = await runTests({ "late.test.mjs": `${GREEN}${late}` });
  expect(code).not.toBe(0);
  expect(lines.at(-1)).toBe("1 passed, 0 failed");
});

test("an error outside of every test also fails the run if a file failed once", async () => {
  const late = "process.nextTick(() => { throw new Error('nobody catches this'); });";
  const files = { "late.test.mjs": `${GREEN}${late}`, "once.test.mjs": `${GREEN}${fallsOnce()}` };
  const { code, lines } = await runTests(files);
  expect(code).not.toBe(0);
  expect(lines.filter((line) => line.startsWith("Errors that no test caught"))).toEqual([
    "Errors that no test caught: 1",
  ]);
  expect(lines.slice(-2)).toEqual([`${COUNT} 1`, "3 passed, 0 failed"]);
});

test("a vitest that ends without results fails the run", async () => {
  const config = "throw new Error('no configuration');";
  const { code, lines } = await runTests({ "vitest.config.mjs": config, "green.test.mjs": GREEN });
  expect(code).not.toBe(0);
  expect(lines.at(-1)).toBe("The tests ended without results");
});

test("a run whose uncaught errors were not counted fails", async () => {
  const results = { numPassedTests: 1, numFailedTests: 0, testResults: [] };
  const lines: string[] = [];
  const twice = (run: Run) =>
    testTwice(
      async () => run,
      (line) => lines.push(line),
    );
  expect(await twice({ code: 0, results, uncaught: 0 })).toBe(0);
  expect(lines).not.toContain("Errors that no test caught: not counted");
  expect(await twice({ code: 0, results })).toBe(1);
  expect(lines).toContain("Errors that no test caught: not counted");
});
