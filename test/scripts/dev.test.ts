import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
  await said("Second Step runs");
}, limit(90_000));
afterAll(async () => {
  stack.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Touches a file, as an editor does when it saves. */
const save = (file: string) => utimesSync(join(checkoutFolder, file), new Date(), new Date());

test.each([
  ["core/duration.ts", "gateway"],
  ["portal/layout/words.ts", "gateway"],
  ["machines/delivery.ts", "worker"],
])(
  "npm run dev: a change of %s restarts the %s, and it says so",
  async (file, part) => {
    const before = output.length;
    save(file);
    await said(new RegExp(`^[^]{${before}}[^]*${file} changed: restarting the ${part}`));
    await said(new RegExp(`^[^]{${before}}[^]*The ${part} is back after \\d+\\.\\d s`));
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  },
  limit(30_000),
);
