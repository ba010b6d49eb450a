import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachedPrograms } from "./folders.ts";

// What is started for a test has to start quickly rather than to run quickly.
const FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

type Program = { java: string; classes: string[]; main: string };

/** Writes a command of that name into the project's cache that runs a class; returns its path. */
export function writeJavaLauncher(name: string, { java, classes, main }: Program): string {
  mkdirSync(cachedPrograms, { recursive: true });
  const launcher = join(cachedPrograms, name);
  const command = `exec '${java}' ${FLAGS} -cp '${classes.join(":")}' ${main} "$@"`;
  writeFileSync(launcher, `#!/bin/sh\n${command}\n`);
  chmodSync(launcher, 0o755);
  return launcher;
}
