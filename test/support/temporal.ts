import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { msToTs } from "@temporalio/common/lib/time.js";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
} from "@temporalio/worker";
import { inject } from "vitest";
import type { Activities } from "../../activities/activities.ts";
import { freePort } from "../../scripts/ports.ts";
import { launch } from "../../scripts/processes.ts";
import { startTemporal } from "../../scripts/temporal.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { registerSearchAttributes } from "../../scripts/temporal-namespace.ts";
import { LOCAL_TEMPORAL_SETTINGS } from "../../scripts/temporal-settings.ts";
import { createWorkers } from "../../worker-settings.ts";
import { bundleFile } from "./workflow-bundle.ts";

/** `real`: the dev server, with real timers. `skipping`: time passes only by `skip`. */
export type Time = "real" | "skipping";

/** A Temporal namespace or server that no other test shares. */
export type Temporal = {
  client: Client;
  connection: NativeConnection;
  address: string;
  namespace: string;
  /** Moves every timer on by `ms`. Does nothing on the dev server. */
  skip(ms: number): Promise<void>;
  stop(): Promise<void>;
};

/** Replaces `<process id>@<host>`, so that recorded histories do not name the machine. */
export const IDENTITY = "1@second-step";

/**
 * Its own namespace on the shared dev server, or its own time-skipping server. With settings: its
 * own dev server, with these settings added to the usual ones.
 */
export function ownTemporal(time: Time, settings?: Record<string, unknown>): Promise<Temporal> {
  quiet();
  if (settings) return ownServer(settings);
  return time === "skipping" ? ownSkippingServer() : ownNamespace(inject("temporalAddress"));
}

async function ownServer(settings: Record<string, unknown>): Promise<Temporal> {
  const folder = mkdtempSync(join(tmpdir(), "second-step-temporal-"));
  const started: ReturnType<typeof launch>[] = [];
  const address = await startTemporal(
    (child) => {
      const process = launch(child);
      started.push(process);
      return process;
    },
    {
      program: await ensureTemporalCli(() => {}),
      namespace: "default",
      port: await freePort(),
      settings: {
        ...LOCAL_TEMPORAL_SETTINGS,
        "system.forceSearchAttributesCacheRefreshOnRead": true,
        ...settings,
      },
      logFile: join(folder, "temporal.log"),
    },
  );
  const own = await ownNamespace(address);
  return {
    ...own,
    async stop() {
      await own.stop();
      await Promise.all(started.map((process) => process.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}

async function ownNamespace(address: string): Promise<Temporal> {
  const namespace = `test-${randomUUID()}`;
  const clientConnection = await Connection.connect({ address });
  await clientConnection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs("1 day"),
  });
  await registerSearchAttributes(clientConnection, namespace);
  const connection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection: clientConnection, namespace, identity: IDENTITY }),
    connection,
    address,
    namespace,
    async skip() {},
    async stop() {
      await connection.close();
      await clientConnection.close();
    },
  };
}

async function ownSkippingServer(): Promise<Temporal> {
  const environment = await startSkippingServer();
  const namespace = environment.namespace ?? "default";
  // This server cannot list the search attributes that it has, so they are added without a look.
  await environment.connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: { MfaUserId: 2, MfaAccountId: 2, MfaState: 2, MfaMethod: 2 },
  });
  return {
    client: environment.client,
    connection: environment.nativeConnection,
    address: environment.address,
    namespace,
    skip: (ms) => environment.sleep(ms),
    stop: () => environment.teardown(),
  };
}

/** Tries several times: the SDK gives the server five seconds, too few on a busy machine. */
async function startSkippingServer(starts = 8): Promise<TestWorkflowEnvironment> {
  const path = inject("timeSkippingServerPath");
  const server = path ? { executable: { type: "existing-path", path } as const } : undefined;
  try {
    return await TestWorkflowEnvironment.createTimeSkipping({ server });
  } catch (error) {
    if (starts === 1) throw error;
    return startSkippingServer(starts - 1);
  }
}

/** Runs the service's worker in this process. Resolves with a function that stops it. */
export async function startWorker(
  { connection, namespace }: Temporal,
  activities: Activities,
): Promise<() => Promise<void>> {
  const workers = await createWorkers(
    {
      connection,
      namespace,
      identity: IDENTITY,
      activities,
      // A test may end while an activity hangs; do not wait for that activity.
      shutdownForceTime: "2 s",
    },
    { workflowBundle: { codePath: await bundleFile() } },
  );
  let stopping = false;
  // A worker that fails in the middle of a test would leave it waiting without a word.
  const failed = (error: unknown) => void (stopping || console.error("A worker failed:", error));
  const ended = workers.map((worker) => worker.run().catch(failed));
  return async () => {
    stopping = true;
    for (const worker of workers) worker.shutdown();
    await Promise.all(ended);
  };
}

let installed = false;

/** Call before the first connection, which would install a runtime that logs more. */
function quiet() {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger("ERROR"),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: "ERROR", other: "ERROR" }) },
    },
  });
}
