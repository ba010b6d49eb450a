import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { findProgram, runProgram } from "./programs.ts";
import { type Report, SetUpError, withHeartbeat } from "./progress.ts";

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * The path of a command. If the command is missing and this process is root, installs the Debian
 * package that has it. Otherwise throws a SetUpError that says what to install.
 */
export async function ensureDebianPackage(
  command: string,
  packageName: string,
  report: Report,
): Promise<string> {
  const present = findProgram(command);
  if (present) return present;
  await installDebianPackages([packageName], report);
  const installed = findProgram(command);
  if (installed) return installed;
  throw new SetUpError(`The package ${packageName} was installed, but it brought no ${command}`);
}

/** Installs Debian packages as root, without starting the services that some of them bring. */
export async function installDebianPackages(packages: string[], report: Report): Promise<void> {
  const names = packages.join(" ");
  if (process.getuid?.() !== 0 || !findProgram("apt-get")) {
    throw new SetUpError(
      `${names} missing: install it, on Debian with: sudo apt-get install ${names}`,
    );
  }
  report(`Installing ${names} with apt-get`);
  await withHeartbeat(
    `Installing ${names}`,
    report,
    withoutServiceStarts(async () => {
      await aptGet("update");
      await aptGet("install", "-y", "--no-install-recommends", ...packages);
    }),
  );
}

function aptGet(...args: string[]): Promise<string> {
  return runProgram("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Debian's own hook: packages ask policy-rc.d before they start a service, and 101 forbids it. */
async function withoutServiceStarts(install: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
  chmodSync(POLICY, 0o755);
  try {
    await install();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
