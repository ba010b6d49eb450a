import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { limit } from "../support/limits.ts";
import { until } from "../support/until.ts";

test("an interrupted benchmark leaves nothing behind", { timeout: limit(60_000) }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-interrupted-"));
  // PostgreSQL runs as its own user, which must be able to enter this folder.
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // Finds the bench's processes by this folder in their environment.
  const processes = () =>
    readdirSync("/proc")
      .filter((pid) => startedIn(folder, pid))
      .map(Number);
  onTestFinished(() => {
    for (const pid of processes()) process.kill(pid, "SIGKILL");
  });
  const bench = spawn(process.execPath, ["--import", "tsx", "bench/run.ts", "--seconds", "1"], {
    ...{ cwd: checkoutFolder, env: { ...process.env, TMPDIR: folder } },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  bench.stderr.on("data", (text) => {
    said += text;
  });
  await until(
    async () => said,
    (text) => text.includes("Bundling the workflows"),
  );
  // The bench, PostgreSQL and Temporal. Redis is not found, because it overwrites its environment.
  expect(processes().length).toBeGreaterThanOrEqual(3);

  // Ctrl-C arrives more than once: from the terminal and from npm.
  const exited = once(bench, "exit");
  while (bench.kill("SIGINT")) await sleep(1);
  await exited;
  await until(
    async () => processes(),
    (left) => left.length === 0,
  );
  expect(readdirSync(folder).filter((name) => name.startsWith("second-step"))).toEqual([]);
});

function startedIn(folder: string, pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`TMPDIR=${folder}`);
  } catch {
    return false;
  }
}
