import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, loadConfig } from "../../config.ts";
import { dataFolder } from "../folders.ts";
import { identityOf } from "../process-identity.ts";
import { SetUpError } from "../progress.ts";

type Running = { name: string; pid: number; identity: string };

/**
 * The environment for commands: this process's own if DATABASE_URL or its file is set, else that of
 * the gateway of the stack on the data folder. Throws a SetUpError if none runs.
 */
export function serviceEnvironment(): NodeJS.ProcessEnv {
  const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
  return DATABASE_URL || DATABASE_URL_FILE ? process.env : gatewayEnvironment(dataFolder);
}

/** The settings for commands. Throws a SetUpError if no service is named and none runs. */
export const serviceConfig = (): Config => loadConfig(serviceEnvironment());

/**
 * The environment that the running gateway was started with: addresses, secrets and other settings.
 */
function gatewayEnvironment(folder: string): NodeJS.ProcessEnv {
  const gateway = childrenOf(folder).findLast(
    ({ name, pid, identity }) => name === "Gateway" && identityOf(pid) === identity,
  );
  if (!gateway)
    throw new SetUpError(
      `No Second Step runs on ${folder}. Start it (npm start), name its folder (DATA_DIR), or set ` +
        "DATABASE_URL and the other settings of the service.",
    );
  try {
    // proc(5): the initial environment, a NUL after each entry; only the process's own user can
    // read it.
    const entries = readFileSync(`/proc/${gateway.pid}/environ`, "utf8").split("\0");
    return Object.fromEntries(
      entries.map((entry) => [entry.split("=", 1)[0], entry.slice(entry.indexOf("=") + 1)]),
    );
  } catch {
    throw new SetUpError(
      `The settings of the stack on ${folder} cannot be read: run this as the user who started it, ` +
        "or set DATABASE_URL and the other settings of the service.",
    );
  }
}

function childrenOf(folder: string): Running[] {
  try {
    return JSON.parse(readFileSync(join(folder, "stack.json"), "utf8")).children;
  } catch {
    return [];
  }
}
