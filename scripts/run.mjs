// What `npm start`, `npm test` and `npm run cli` run. Plain JavaScript without dependencies: in a
// bare clone there is nothing else yet.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = [20, 19];
const TYPESCRIPT = ["--import", "tsx"];
const VITEST = ["node_modules/vitest/vitest.mjs", "run"];
/** What takes minutes and is no part of `npm test`: docs/testing.md tells of each. */
const heavy = (...files) => [...VITEST, "--config", "test/heavy.config.ts", ...files];
const COMMANDS = {
  install: undefined,
  start: [...TYPESCRIPT, "scripts/start.ts"],
  dev: [...TYPESCRIPT, "scripts/start.ts", "--watch"],
  cli: [...TYPESCRIPT, "scripts/cli.ts"],
  build: [...TYPESCRIPT, "scripts/build.ts"],
  bench: [...TYPESCRIPT, "bench/run.ts"],
  "bench:bytes": [...TYPESCRIPT, "bench/bytes.ts"],
  test: VITEST,
  "test:paths": heavy("test/e2e/every-path.heavy.ts"),
  "test:cluster": [...VITEST, "--config", "test/cluster.config.ts", "test/e2e"],
  "test:fuzz": heavy("test/fuzz/fuzz.heavy.ts"),
  "test:soak": heavy("test/soak/soak.heavy.ts"),
  "test:mutations": [...TYPESCRIPT, "test/mutations/harness/run.ts"],
  "test:races": heavy("test/attacks/pairwise-races.heavy.ts"),
  "test:stryker": ["node_modules/@stryker-mutator/core/bin/stryker.js", "run"],
  "test:timing": heavy("test/attacks/timing.heavy.ts"),
  "test:faults": heavy("test/faults/crash.heavy.ts", "test/faults/outages.heavy.ts"),
  "test:drill": heavy("test/faults/drill.heavy.ts"),
  "record-database": heavy("test/upgrade/record-database.heavy.ts"),
  "record-histories": heavy("test/workflows/record-histories.heavy.ts"),
};

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

checkNode();
const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, name)) {
  fail(`Usage: node scripts/run.mjs ${Object.keys(COMMANDS).join("|")} [arguments]`);
}
await installPackages();
const command = COMMANDS[name];
if (command) process.exit(await run(process.execPath, [...command, ...args]));

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  fail(`Second Step needs Node.js ${NEEDED.join(".")} or newer; this is ${process.version}.`);
}

async function installPackages() {
  if (packagesAreInstalled()) return;
  // Standard error, so that the output of `cli --json` stays JSON.
  console.error(
    "Installing the packages of package-lock.json (npm ci); this takes a minute or so.",
  );
  const code = await run("npm", ["ci", "--include=dev"], [process.stderr, process.stderr]);
  if (code !== 0) fail("npm ci failed: see its message above. Nothing was started.");
}

/** npm notes what it has installed last of all, so an interrupted installation is made again. */
function packagesAreInstalled() {
  try {
    const wanted = packagesOf("package-lock.json");
    const installed = packagesOf("node_modules/.package-lock.json");
    // Optional ones may be of other systems.
    return Object.entries(wanted).every(([path, { version, optional }]) => {
      const isProject = path === "";
      return isProject || (installed[path] ? installed[path].version === version : optional);
    });
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(checkout, file), "utf8")).packages;
}

/** Runs a program in this process's terminal, hands signals on, and resolves with its exit code. */
function run(program, args, [out, err] = ["inherit", "inherit"]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: checkout, stdio: ["inherit", out, err] });
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    const handOn = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, handOn);
    child.on("error", (error) => fail(`${program} cannot be run: ${error.message}`));
    child.on("exit", (code, signal) => {
      for (const each of signals) process.off(each, handOn);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
