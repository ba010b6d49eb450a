import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installDebianPackages } from "./debian.ts";
import { cachedPrograms, cacheFolder } from "./folders.ts";
import { findProgram, runProgram } from "./programs.ts";
import { type Report, SetUpError, withHeartbeat } from "./progress.ts";

const MISSING =
  "Redis is missing: install redis-server or valkey-server (apt-get, dnf or brew install redis), " +
  "or set REDIS_URL to a server that runs";

/** The path of a Redis or Valkey server: an installed one, else one installed now. */
export async function ensureRedis(report: Report): Promise<string> {
  const present = findProgram("redis-server", "valkey-server");
  if (present) return present;
  const root = process.getuid?.() === 0;
  if (findProgram("apt-get")) {
    await (root ? installDebianPackages(["redis-server"], report) : unpackRedis(report));
  } else if (root && findProgram("dnf")) {
    report("Installing valkey with dnf");
    const installing = runProgram("dnf", ["install", "-y", "valkey"]);
    await withHeartbeat("Installing valkey", report, installing);
  }
  const installed = findProgram("redis-server", "valkey-server");
  if (!installed) throw new SetUpError(MISSING);
  return installed;
}

/**
 * Without root: apt-get downloads the package and those of its libraries that the system lacks,
 * with its state in folders of its own, and dpkg unpacks them into the project's cache.
 */
async function unpackRedis(report: Report): Promise<void> {
  report("Downloading redis-server with apt-get into the project's cache");
  const apt = join(cacheFolder, "apt");
  const root = join(cacheFolder, "redis");
  for (const folder of ["state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  const options = [
    "-q",
    "-o",
    `Dir::State=${join(apt, "state")}`,
    "-o",
    "Dir::State::status=/var/lib/dpkg/status",
    "-o",
    `Dir::Cache=${join(apt, "cache")}`,
    "-o",
    "Debug::NoLocking=true",
  ];
  const download = async () => {
    await runProgram("apt-get", [...options, "update"]);
    const wanted = ["--no-install-recommends", "--download-only", "redis-server"];
    await runProgram("apt-get", [...options, "install", "-y", ...wanted]);
  };
  await withHeartbeat("Downloading redis-server", report, download());

  const archives = join(apt, "cache/archives");
  for (const archive of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    await runProgram("dpkg", ["-x", join(archives, archive), root]);
  }
  writeLauncher(root);
}

/** A command that runs the unpacked server with the libraries beside it. */
function writeLauncher(root: string): void {
  const libraries = ["usr/lib", "lib"]
    .map((folder) => join(root, folder))
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((triplet) => join(folder, triplet)));
  mkdirSync(cachedPrograms, { recursive: true });
  const launcher = join(cachedPrograms, "redis-server");
  const server = join(root, "usr/bin/redis-server");
  writeFileSync(
    launcher,
    `#!/bin/sh\nLD_LIBRARY_PATH='${libraries.join(":")}' exec '${server}' "$@"\n`,
  );
  chmodSync(launcher, 0o755);
}
