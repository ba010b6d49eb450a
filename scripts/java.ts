import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachedPrograms } from "./folders.ts";

// Programs that tests start must start fast; running fast matters less.
const FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

type Program = { java: string; classes: string[]; main: string };

/**
 * Writes a launcher of this name, which runs a Java class, into the project's cache; returns its
 * path.
 */
export function writeJavaLauncher(name: string, { java, classes, main }: Program): string {
  mkdirSync(cachedPrograms, { recursive: true });
  const launcher = join(cachedPrograms, name);
  const command = `exec '${java}' ${FLAGS} -cp '${classes.join(":")}' ${main} "$@"`;
  writeFileSync(launcher, `#!/bin/sh\n${command}\n`);
  chmodSync(launcher, 0o755);
  return launcher;
}
