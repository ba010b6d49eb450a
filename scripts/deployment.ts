import { type Client, type Connection, isGrpcServiceError } from "@temporalio/client";
import { DEPLOYMENT } from "../workflows/ids.ts";
import { isPolling, recently } from "./pollers.ts";
import { SetUpError } from "./progress.ts";

/** A gRPC status. */
const NOT_FOUND = 5;
/**
 * NOT_FOUND and FAILED_PRECONDITION: the server learns of a build a moment after it learns of a
 * worker.
 */
const NOT_YET = new Set<number>([NOT_FOUND, 9]);

/** The states of a build, by the server's numbers. */
const STATES = ["unknown", "inactive", "current", "ramping", "draining", "drained"];

/** A build of the worker: its state, and how many flows that began on it are still open. */
export type Build = { build: string; state: string; openFlows: number; polls: boolean };

/** Every build that the server knows, newest first; none where no worker has a build id. */
export async function buildsOf(client: Client): Promise<Build[]> {
  const deployment = await deploymentOf(client);
  return Promise.all(
    (deployment?.versionSummaries ?? []).map(async ({ deploymentVersion, status }) => {
      const build = deploymentVersion?.buildId ?? "";
      const { count } = await client.workflow.count(
        `TemporalWorkerDeploymentVersion = '${DEPLOYMENT}:${build}' AND ExecutionStatus = 'Running'`,
      );
      const polls = await takesWork(client, build);
      return { build, state: STATES[status ?? 0] ?? "unknown", openFlows: count, polls };
    }),
  );
}

/**
 * Makes new flows begin on this build; without one, on workers without a build id. Safe to repeat.
 * Throws a SetUpError while no worker of that build takes work.
 */
export async function promoteBuild(client: Client, build?: string): Promise<void> {
  if (!(await takesWork(client, build)))
    throw new SetUpError(
      `No worker ${build ? `of build ${build}` : "without a build id"} takes work yet`,
    );
  // If no worker ever had a build id, all workers take new flows already.
  if (!build && !(await deploymentOf(client))) return;
  const { namespace } = client.options;
  const version = { namespace, deploymentName: DEPLOYMENT, buildId: build ?? "" };
  try {
    await client.connection.workflowService.setWorkerDeploymentCurrentVersion(version);
  } catch (error) {
    if (!isGrpcServiceError(error) || !NOT_YET.has(error.code)) throw error;
    throw new SetUpError(`Temporal does not know this build yet: ${error.details}`);
  }
}

async function deploymentOf({ connection, options: { namespace } }: Client) {
  try {
    const deployment = { namespace, deploymentName: DEPLOYMENT };
    return (await connection.workflowService.describeWorkerDeployment(deployment))
      .workerDeploymentInfo;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}

function takesWork({ connection, options }: Client, build?: string): Promise<boolean> {
  const since = recently(Date.now());
  const isIt = (poller: { build?: string }) => poller.build === build;
  return isPolling(connection as Connection, options.namespace, { since, isIt });
}
