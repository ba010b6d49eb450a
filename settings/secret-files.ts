import { readFileSync } from "node:fs";

type Environment = Record<string, string | undefined>;

export type WithFiles = {
  /** The environment with the content of each file under the name of its setting. */
  env: Environment;
  /** The file of each setting that came from one. */
  files: Partial<Record<string, string>>;
  /** What is wrong, by setting; never with the content of a file. */
  faults: Partial<Record<string, string>>;
};

/**
 * Reads each secret whose file is named, such as DATABASE_URL from DATABASE_URL_FILE. A newline at
 * the end is dropped. An empty variable, as compose files write it, counts as not set.
 */
export function readSecretFiles(given: Environment, secrets: readonly string[]): WithFiles {
  const env = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  const files: WithFiles["files"] = {};
  const faults: WithFiles["faults"] = {};
  for (const name of secrets) {
    const variable = `${name}_FILE`;
    const file = env[variable];
    delete env[variable];
    if (file === undefined) continue;
    files[name] = file;
    if (env[name] !== undefined) faults[name] = `Set ${name} or ${variable}, not both.`;
    else {
      const read = readSecret(file);
      if ("fault" in read) faults[name] = `The file of ${variable} ${read.fault}.`;
      else env[name] = read.secret;
    }
  }
  return { env, files, faults };
}

function readSecret(file: string): { secret: string } | { fault: string } {
  try {
    const secret = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    return secret === "" ? { fault: "is empty" } : { secret };
  } catch (error) {
    return { fault: `cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}
