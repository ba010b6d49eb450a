import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { limit } from "../support/limits.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "second-step-dev-"));
let port: number;
let stack: ChildProcess;
let ended: Promise<unknown>;
let output = "";

const said = (words: string | RegExp) =>
  until(
    () => Promise.resolve(output),
    (text) => (typeof words === "string" ? text.includes(words) : words.test(text)),
  );

beforeAll(async () => {
  port = await freePort();
  const { DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, ...inherited } = process.env;
  stack = spawn(process.execPath, ["--import", "tsx", "scripts/start.ts", "--watch"], {
    cwd: checkoutFolder,
    env: { ...inherited, NODE_ENV: "development", DATA_DIR: folder, PORT: String(port) },
  });
  ended = new Promise((resolve) => stack.once("close", resolve));
  for (const stream of [stack.stdout, stack.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  // A start takes longer than anything that `until` waits for.
  await vi.waitUntil(() => output.includes("Second Step runs"), { timeout: limit(80_000) });
}, limit(90_000));
afterAll(async () => {
  stack.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Touches a file, as an editor does when it saves. */
const save = (file: string) => utimesSync(join(checkoutFolder, file), new Date(), new Date());

/** Puts a new file in the place of the old one, as `sed -i`, git and some editors do. */
function replace(file: string): void {
  const draft = join(checkoutFolder, `${file}.draft`);
  copyFileSync(join(checkoutFolder, file), draft);
  renameSync(draft, join(checkoutFolder, file));
}

/** Runs `change`, and waits until the part has restarted because of the file. */
async function restarts(part: string, file: string, change: () => void): Promise<void> {
  const before = output.length;
  change();
  await said(new RegExp(`^[^]{${before}}[^]*${file} changed: restarting the ${part}`));
  await said(new RegExp(`^[^]{${before}}[^]*The ${part} is back after \\d+\\.\\d s`));
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
}

test.each([
  ["core/duration.ts", "gateway"],
  ["portal/layout/words.ts", "gateway"],
  ["machines/delivery.ts", "worker"],
])(
  "npm run dev: a change of %s restarts the %s, and it says so",
  (file, part) => restarts(part, file, () => save(file)),
  limit(30_000),
);

test(
  "npm run dev notices a file each time that it is replaced",
  async () => {
    for (const _time of [1, 2, 3])
      await restarts("gateway", "core/duration.ts", () => replace("core/duration.ts"));
  },
  limit(60_000),
);

test(
  "npm run dev notices files in a new folder",
  async () => {
    const made = join(checkoutFolder, "portal", `new-${process.pid}`);
    const file = `portal/new-${process.pid}/in/page.css`;
    try {
      await restarts("gateway", file, () => {
        mkdirSync(join(made, "in"), { recursive: true });
        copyFileSync(
          join(checkoutFolder, "portal/layout/assets/style.css"),
          join(made, "in/page.css"),
        );
      });
      await restarts("gateway", file, () => save(file));
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  },
  limit(60_000),
);

test(
  "commands find the stack after its gateway has restarted",
  async () => {
    await restarts("gateway", "core/duration.ts", () => save("core/duration.ts"));
    const { DATABASE_URL, ...inherited } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "scripts/cli.ts", "account", "list"],
      { cwd: checkoutFolder, env: { ...inherited, DATA_DIR: folder } },
    );
    expect(stdout).toContain("demo");
  },
  limit(60_000),
);
