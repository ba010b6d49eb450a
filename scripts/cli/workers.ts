import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Connection } from "@temporalio/client";
import type { Command } from "commander";
import { temporalServer } from "../../temporal/connection.ts";
import { buildsOf, promoteBuild } from "../deployment.ts";
import { SetUpError } from "../progress.ts";
import { connectTemporal } from "../temporal-namespace.ts";
import { answer, columns } from "./answer.ts";
import { serviceConfig } from "./settings.ts";

/** A worker that has just been started shows up within seconds. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 1_000;

/** `workers list` and `workers promote`. */
export function workerCommands(program: Command) {
  const group = program
    .command("workers")
    .description("the builds of the worker, and which of them takes new flows (WORKER_BUILD_ID)");

  group
    .command("list")
    .description("every build that has taken work; a drained one has no open flows left")
    .action((_options, command: Command) =>
      withTemporal(async (client) => {
        const builds = await buildsOf(client);
        answer(command, { builds }, columns(builds, "No worker has a build id."));
      }),
    );

  group
    .command("promote")
    .description("give new flows to a build once its worker polls; open ones stay where they are")
    .argument("[build]", "its WORKER_BUILD_ID; by default, the one of this environment")
    .action((named: string | undefined, _options, command: Command) =>
      withTemporal(async (client) => {
        const build = named ?? serviceConfig().WORKER_BUILD_ID;
        await patiently(() => promoteBuild(client, build));
        const words = build ? `New flows go to build ${build}.` : "New flows go to any worker.";
        answer(command, { current: build ?? null }, words);
      }),
    );
}

async function withTemporal(work: (client: Client) => Promise<void>): Promise<void> {
  const config = serviceConfig();
  const { TEMPORAL_NAMESPACE: namespace } = config;
  const connection: Connection = await connectTemporal(temporalServer(config));
  try {
    await work(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

async function patiently(work: () => Promise<void>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SetUpError) || performance.now() > end) throw error;
      await sleep(RETRY_MS);
    }
  }
}
