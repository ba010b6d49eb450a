import type { Connection } from "@temporalio/client";
import { TASK_QUEUE } from "../workflows/ids.ts";

const WORKFLOWS = 1;
const ACTIVITIES = 2;

/** Resolves when such a worker has polled for workflows and for activities since then; else throws. */
export async function expectPollers(
  { workflowService }: Connection,
  namespace: string,
  { since, isIt }: { since: Date; isIt: (identity: string) => boolean },
): Promise<void> {
  const parts = await workflowService.listTaskQueuePartitions({
    namespace,
    taskQueue: { name: TASK_QUEUE },
  });
  const pollsFor = async (taskQueueType: number, partitions: { key?: string | null }[]) => {
    // A server spreads its pollers over the partitions and describes one partition at a time.
    const described = await Promise.all(
      partitions.map(({ key }) =>
        workflowService.describeTaskQueue({ namespace, taskQueue: { name: key }, taskQueueType }),
      ),
    );
    return described
      .flatMap(({ pollers }) => pollers)
      .some(
        ({ identity, lastAccessTime }) =>
          isIt(identity ?? "") &&
          Number(lastAccessTime?.seconds ?? 0) >= Math.floor(since.getTime() / 1000),
      );
  };
  const polls =
    (await pollsFor(WORKFLOWS, parts.workflowTaskQueuePartitions)) &&
    (await pollsFor(ACTIVITIES, parts.activityTaskQueuePartitions));
  if (!polls) throw new Error(`No such worker polls the task queue ${TASK_QUEUE}`);
}
