import { type NativeConnectionOptions, Worker, type WorkerOptions } from "@temporalio/worker";
import { MAIL_QUEUE, TASK_QUEUE, WEBHOOKS_QUEUE } from "./workflows/ids.ts";

/**
 * How the service's workers talk to Temporal. The benchmark's empty workflow, its floor, uses the
 * same.
 */
export const workerSettings = {
  connection: {
    // A flow's messages have only some hundred octets, so gzip costs both sides more time than it
    // saves.
    grpcCompression: { codec: "none" },
  } satisfies NativeConnectionOptions,
  polling: {
    // Equal numbers poll for flows' first tasks and for later ones: a login by app has one of each.
    nonStickyToStickyPollRatio: 0.5,
  } satisfies Partial<WorkerOptions>,
};

/**
 * How many activities of each other queue run at once in a process. A mail uses one of the SMTP
 * connections; further mails wait in Temporal's queue.
 */
const SLOTS = { [WEBHOOKS_QUEUE]: 40, [MAIL_QUEUE]: 10 };

/**
 * The workers of one process. One runs the workflows and what people wait for. Webhooks and mail
 * have a queue and slots of their own, so a receiver that never answers delays no login.
 */
export async function createWorkers(
  common: Omit<WorkerOptions, "taskQueue">,
  workflows: Pick<WorkerOptions, "workflowBundle" | "workflowsPath" | "bundlerOptions">,
): Promise<Worker[]> {
  const others = Object.entries(SLOTS).map(([taskQueue, slots]) =>
    Worker.create({
      ...common,
      taskQueue,
      maxConcurrentActivityTaskExecutions: slots,
      maxConcurrentActivityTaskPolls: 1,
    }),
  );
  return Promise.all([
    Worker.create({ ...common, ...workflows, ...workerSettings.polling, taskQueue: TASK_QUEUE }),
    ...others,
  ]);
}
