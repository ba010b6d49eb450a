import type { Connection } from "@temporalio/client";
import { TASK_QUEUE } from "../workflows/ids.ts";

const WORKFLOWS = 1;
const ACTIVITIES = 2;

/** Resolves when such a worker has polled for workflows and for activities since then; else throws. */
export async function expectPollers(
  connection: Connection,
  namespace: string,
  { since, isIt }: { since: Date; isIt: (identity: string) => boolean },
): Promise<void> {
  for (const taskQueueType of [WORKFLOWS, ACTIVITIES]) {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: TASK_QUEUE },
      taskQueueType,
    });
    const recent = pollers.some(
      (poller) =>
        isIt(poller.identity ?? "") &&
        Number(poller.lastAccessTime?.seconds ?? 0) >= Math.floor(since.getTime() / 1000),
    );
    if (!recent) throw new Error(`No such worker polls the task queue ${TASK_QUEUE}`);
  }
}
