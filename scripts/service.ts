import { join } from "node:path";
import type { Connection } from "@temporalio/client";
import { TASK_QUEUE } from "../workflows/ids.ts";
import { checkoutFolder } from "./folders.ts";
import { waitUntilReady } from "./processes.ts";
import { logFile, type Stage } from "./stack.ts";
import { connectTemporal } from "./temporal-namespace.ts";

const START_MS = 60_000;
const WORKFLOWS = 1;
const ACTIVITIES = 2;

/** Starts the worker with this environment and resolves when it polls for work. */
export async function startWorker({ launch }: Stage, env: NodeJS.ProcessEnv): Promise<void> {
  const { TEMPORAL_ADDRESS: address = "", TEMPORAL_NAMESPACE: namespace = "" } = env;
  const startedAt = Date.now();
  const child = launch(entry("Worker", "worker.ts", env));
  const connection = await connectTemporal(address);
  try {
    const polls = () => expectPollers(connection, namespace, startedAt);
    await waitUntilReady(child, polls, START_MS);
  } finally {
    await connection.close();
  }
}

/** Starts the gateway with this environment and resolves when it says that it is ready. */
export async function startGateway(
  { launch }: Stage,
  env: NodeJS.ProcessEnv,
  url: string,
): Promise<void> {
  const child = launch(entry("Gateway", "api/server.ts", env));
  const answers = async () => {
    const answer = await fetch(`${url}/readyz`);
    if (!answer.ok) throw new Error(`/readyz answers ${answer.status}: ${await answer.text()}`);
  };
  await waitUntilReady(child, answers, START_MS);
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

/** Throws unless a worker has polled for workflows and one for activities since `since` (ms). */
async function expectPollers(
  connection: Connection,
  namespace: string,
  since: number,
): Promise<void> {
  for (const taskQueueType of [WORKFLOWS, ACTIVITIES]) {
    const taskQueue = { name: TASK_QUEUE };
    const request = { namespace, taskQueue, taskQueueType };
    const { pollers } = await connection.workflowService.describeTaskQueue(request);
    const recent = pollers.some(
      ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 + 999 >= since,
    );
    if (!recent) throw new Error(`nobody polls the task queue ${TASK_QUEUE}`);
  }
}
