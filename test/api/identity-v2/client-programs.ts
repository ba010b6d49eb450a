import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { ensureDebianPackage } from "../../../scripts/debian.ts";
import { cachedPrograms } from "../../../scripts/folders.ts";
import { runProgram } from "../../../scripts/programs.ts";
import { pythonPrograms } from "../../support/python.ts";

export type Client = { program: string; args: string[] };

const report = (line: string) => console.error(line);

/** The client program on gophercloud. Go downloads it from its module proxy and builds it once. */
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

/** The client script on rackspaceauth, in a Python environment with its packages. */
export async function rackspaceauthClient(): Promise<Client> {
  const folder = join(import.meta.dirname, "rackspaceauth");
  const programs = await pythonPrograms("identity-rackspaceauth", join(folder, "requirements.txt"));
  return { program: join(programs, "python3"), args: [join(folder, "log_in.py")] };
}

/**
 * Runs a client to its end. Returns what it printed last. If it prints the factor that it is
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
