import { join } from "node:path";
import { loadSettings } from "../config.ts";
import { TEMPORAL_SETTINGS, temporalServer } from "../temporal/connection.ts";
import { checkoutFolder } from "./folders.ts";
import { isPolling, type Poller } from "./pollers.ts";
import { type Child, waitUntilReady } from "./processes.ts";
import { logFile, type Stage } from "./stack.ts";
import { connectTemporal } from "./temporal-namespace.ts";

const START_MS = 60_000;

/** Starts the worker with this environment and resolves with it when it polls for work. */
export async function startWorker({ launch }: Stage, env: NodeJS.ProcessEnv): Promise<Child> {
  const settings = loadSettings([...TEMPORAL_SETTINGS, "TEMPORAL_NAMESPACE"], env);
  const { TEMPORAL_NAMESPACE: namespace } = settings;
  const since = new Date();
  const child = launch(entry("Worker", "worker.ts", env));
  const connection = await connectTemporal(temporalServer(settings));
  try {
    // The SDK calls a worker `pid@host`.
    const isIt = ({ identity }: Poller) => identity.startsWith(`${child.pid}@`);
    const polls = async () => {
      if (!(await isPolling(connection, namespace, { since, isIt })))
        throw new Error("it does not ask for work");
    };
    await waitUntilReady(child, polls, START_MS);
    return child;
  } finally {
    await connection.close();
  }
}

/** Starts the gateway with this environment and resolves with it when it says that it is ready. */
export async function startGateway(
  { launch }: Stage,
  env: NodeJS.ProcessEnv,
  url: string,
): Promise<Child> {
  const child = launch(entry("Gateway", "api/server.ts", env));
  const answers = async () => {
    const answer = await fetch(`${url}/health/dependencies`);
    if (!answer.ok)
      throw new Error(`/health/dependencies answers ${answer.status}: ${await answer.text()}`);
  };
  await waitUntilReady(child, answers, START_MS);
  return child;
}

function entry(name: string, file: string, env: NodeJS.ProcessEnv) {
  return {
    name,
    program: process.execPath,
    args: ["--import", "tsx", join(checkoutFolder, file)],
    cwd: checkoutFolder,
    env,
    logFile: logFile(name.toLowerCase()),
  };
}
