import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { ensureDebianPackage, installDebianPackages } from "../../scripts/debian.ts";
import { cachedPrograms, cacheFolder } from "../../scripts/folders.ts";
import { runProgram } from "../../scripts/programs.ts";

export type Client = { program: string; args: string[] };

const report = (line: string) => console.error(line);

/** The program over gophercloud, which Go brings from its module proxy and builds, once and for all. */
export async function gophercloudClient(): Promise<Client> {
  const go = await ensureDebianPackage("go", "golang-go", report);
  const program = join(cachedPrograms, "identity-gophercloud");
  mkdirSync(cachedPrograms, { recursive: true });
  report("Building the test's client over gophercloud with Go");
  await runProgram(go, ["build", "-o", program, "."], {
    cwd: join(import.meta.dirname, "gophercloud"),
    env: { ...process.env, GOFLAGS: "-mod=mod", CGO_ENABLED: "0" },
  });
  return { program, args: [] };
}

/** The script over rackspaceauth, in a Python environment of the cache with its packages from PyPI. */
export async function rackspaceauthClient(): Promise<Client> {
  const folder = join(import.meta.dirname, "rackspaceauth");
  const requirements = join(folder, "requirements.txt");
  const version = createHash("sha256")
    .update(readFileSync(requirements))
    .digest("hex")
    .slice(0, 12);
  const environment = join(cacheFolder, `identity-rackspaceauth-${version}`);
  const python = join(environment, "bin", "python3");
  const finished = join(environment, "finished");
  if (!existsSync(finished)) {
    rmSync(environment, { recursive: true, force: true });
    await makeEnvironment(environment);
    report(`Installing ${readFileSync(requirements, "utf8").trim().split("\n").join(", ")} by pip`);
    const quiet = ["--quiet", "--disable-pip-version-check"];
    await runProgram(python, ["-m", "pip", "install", ...quiet, "-r", requirements]);
    writeFileSync(`${finished}.partial`, "");
    renameSync(`${finished}.partial`, finished);
  }
  return { program: python, args: [join(folder, "log_in.py")] };
}

async function makeEnvironment(folder: string): Promise<void> {
  const python = await ensureDebianPackage("python3", "python3", report);
  const canInstall = await runProgram(python, ["-c", "import ensurepip, venv"]).then(
    () => true,
    () => false,
  );
  // Debian keeps these apart.
  if (!canInstall) await installDebianPackages(["python3-venv"], report);
  report("Making a Python environment for the test's client over rackspaceauth");
  await runProgram(python, ["-m", "venv", folder]);
}

/**
 * Runs a client to its end; answers what it printed last. Where it prints the factor that it is
 * challenged for, it gets a line from `passcode`.
 */
export async function runClient<Seen>(
  { program, args }: Client,
  env: Record<string, string>,
  passcode: (factor: string) => Promise<string> = () => Promise.reject(new Error("A challenge")),
): Promise<Seen> {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env } });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const errors = text(child.stderr);
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    if (/^[A-Z]+$/.test(line)) child.stdin.end(`${await passcode(line)}\n`);
  }
  if ((await ended) !== 0) throw new Error(`The client failed: ${await errors}`);
  return JSON.parse(last);
}
