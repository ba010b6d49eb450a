import { Worker, type WorkerOptions } from "@temporalio/worker";
import { MAIL_QUEUE, TASK_QUEUE, WEBHOOKS_QUEUE } from "../workflows/ids.ts";

/**
 * How many activities of each other queue run at once in a process. A mail uses one of the SMTP
 * connections; further mails wait in Temporal's queue.
 */
const SLOTS = { [WEBHOOKS_QUEUE]: 40, [MAIL_QUEUE]: 10 };

type WorkflowSource = Pick<
  WorkerOptions,
  "workflowBundle" | "workflowsPath" | "bundlerOptions" | "nonStickyToStickyPollRatio"
>;

/**
 * The workers of one process. One runs the workflows and what people wait for. Webhooks and mail
 * have a queue and slots of their own, so a receiver that never answers delays no login.
 */
export async function createWorkers(
  common: Omit<WorkerOptions, "taskQueue">,
  workflows: WorkflowSource,
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
    Worker.create({ ...common, ...workflows, taskQueue: TASK_QUEUE }),
    ...others,
  ]);
}
