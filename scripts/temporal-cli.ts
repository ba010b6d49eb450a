import { chmodSync, copyFileSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { cachedPrograms, cacheFolder } from "./folders.ts";
import { findProgram, runProgram } from "./programs.ts";
import { type Report, SetUpError, withHeartbeat } from "./progress.ts";

const SOURCE = "github.com/temporalio/cli/cmd/temporal@v1.5.1";
const DOWNLOADS = "https://temporal.download";
const REACHABLE_MS = 5_000;
const MISSING =
  "The Temporal CLI is missing: put temporal on PATH (https://docs.temporal.io/cli), or install " +
  "Go (https://go.dev/dl) to have it built here, or set TEMPORAL_ADDRESS to a server that runs";

/**
 * The path of the Temporal CLI: an installed one, else the one that the SDK downloads, else one
 * built with Go. TEMPORAL_CLI_FROM=go skips the download.
 */
export async function ensureTemporalCli(report: Report): Promise<string> {
  const present = findProgram("temporal");
  if (present) return present;
  mkdirSync(cachedPrograms, { recursive: true });
  if (await temporalDownloadsAreReachable()) {
    report("Downloading the Temporal CLI");
    await withHeartbeat("Downloading the Temporal CLI", report, downloadCli());
  } else if (findProgram("go")) {
    report("Building the Temporal CLI with Go; this takes about three minutes, once");
    await withHeartbeat("Building the Temporal CLI", report, buildCli());
  }
  const made = findProgram("temporal");
  if (!made) throw new SetUpError(MISSING);
  return made;
}

/** Whether the SDK can download Temporal's programs, and TEMPORAL_CLI_FROM does not forbid it. */
export async function temporalDownloadsAreReachable(): Promise<boolean> {
  if (process.env.TEMPORAL_CLI_FROM === "go") return false;
  const signal = AbortSignal.timeout(REACHABLE_MS);
  return fetch(DOWNLOADS, { method: "HEAD", redirect: "manual", signal }).then(
    () => true,
    () => false,
  );
}

/**
 * The SDK only downloads the CLI to start it. So it is started and stopped once here, then kept.
 */
async function downloadCli(): Promise<void> {
  const downloadDir = join(cacheFolder, "temporal-download");
  mkdirSync(downloadDir, { recursive: true });
  const executable = { type: "cached-download", downloadDir } as const;
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
  await environment.teardown();
  const [downloaded] = readdirSync(downloadDir).filter((name) => !name.endsWith(".downloading"));
  if (downloaded) keep(join(downloadDir, downloaded));
}

async function buildCli(): Promise<void> {
  const building = join(cacheFolder, "temporal-build");
  await runProgram("go", ["install", SOURCE], {
    cwd: cacheFolder,
    // CGO would need a C compiler; the CLI's SQLite is plain Go.
    env: { ...process.env, GOBIN: building, CGO_ENABLED: "0" },
  });
  keep(join(building, "temporal"));
}

/** Puts a program into the cache in one step, because another start may be looking for it. */
function keep(program: string): void {
  const target = join(cachedPrograms, "temporal");
  const partial = `${target}.${process.pid}`;
  copyFileSync(program, partial);
  chmodSync(partial, 0o755);
  renameSync(partial, target);
}
