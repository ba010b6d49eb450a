import type { Connection } from "@temporalio/client";
import { MAIL_QUEUE, TASK_QUEUE, WEBHOOKS_QUEUE } from "../workflows/ids.ts";

const WORKFLOWS = 1;
const ACTIVITIES = 2;
/** The server's number for a worker whose flows are tied to its build. */
const VERSIONED = 2;

/** The kinds of work that each process of the worker asks for. */
const KINDS = [
  [TASK_QUEUE, WORKFLOWS],
  [TASK_QUEUE, ACTIVITIES],
  [WEBHOOKS_QUEUE, ACTIVITIES],
  [MAIL_QUEUE, ACTIVITIES],
] as const;

/** A worker without work asks again after a minute. */
const RECENT_MS = 150_000;

/** A worker that asks for work: what it calls itself, and its build where it has one. */
export type Poller = { identity: string; build?: string };

/** A worker that is alive has asked for work since this time. */
export const recently = (now: number) => new Date(now - RECENT_MS);

/** Whether a worker that `isIt` accepts has polled every queue for its kinds of work since then. */
export async function isPolling(
  { workflowService }: Connection,
  namespace: string,
  { since, isIt }: { since: Date; isIt: (poller: Poller) => boolean },
): Promise<boolean> {
  const pollsFor = async (queue: string, taskQueueType: number) => {
    const parts = await workflowService.listTaskQueuePartitions({
      namespace,
      taskQueue: { name: queue },
    });
    const partitions =
      taskQueueType === WORKFLOWS
        ? parts.workflowTaskQueuePartitions
        : parts.activityTaskQueuePartitions;
    // A server spreads its pollers over the partitions and describes one partition at a time.
    const described = await Promise.all(
      partitions.map(({ key }) =>
        workflowService.describeTaskQueue({ namespace, taskQueue: { name: key }, taskQueueType }),
      ),
    );
    return described
      .flatMap(({ pollers }) => pollers)
      .some(({ identity, lastAccessTime, deploymentOptions }) => {
        const versioned = deploymentOptions?.workerVersioningMode === VERSIONED;
        const build = (versioned && deploymentOptions.buildId) || undefined;
        return (
          isIt({ identity: identity ?? "", build }) &&
          Number(lastAccessTime?.seconds ?? 0) >= Math.floor(since.getTime() / 1000)
        );
      });
  };
  for (const [queue, type] of KINDS) if (!(await pollsFor(queue, type))) return false;
  return true;
}
