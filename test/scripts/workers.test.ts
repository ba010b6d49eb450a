import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test, vi } from "vitest";
import { loadConfig } from "../../config.ts";
import type { Build } from "../../scripts/deployment.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { type Child, launch, waitUntilReady } from "../../scripts/processes.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { createFlows } from "../../temporal/flows.ts";
import { freshDatabase } from "../support/databases.ts";
import { limit } from "../support/limits.ts";
import { environmentOf } from "../support/stack.ts";
import { ownTemporal } from "../support/temporal.ts";
import { until } from "../support/until.ts";
import { used } from "../support/used.ts";
import { flowsOn, ORIGIN } from "../workflows/flows.ts";

const run = promisify(execFile);
const START_MS = limit(60_000);

vi.setConfig({ testTimeout: limit(120_000), hookTimeout: limit(120_000) });

type Flow = Awaited<ReturnType<Installation["loginChallenge"]>>;
type Installation = Awaited<ReturnType<typeof install>>;

const installed = used(install);

/** The stores and a namespace. Workers and operators' commands run as processes of their own. */
async function install() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-workers-"));
  const [own, temporal] = await Promise.all([freshDatabase("postgres"), ownTemporal("real")]);
  await migrateDatabase(own.url);
  const environment = environmentOf(own.url, inject("redisUrl"), temporal);
  const database = connectDatabase(own.url, { max: 1 });
  const redis = await connectRedis(inject("redisUrl"), () => {});
  const clock = { now: () => Date.now() };
  const deps = { db: database.db, redis, config: loadConfig(environment), clock };
  const env = { ...process.env, ...environment };
  const node = (file: string, ...args: string[]) => ["--import", "tsx", file, ...args];
  const PATH = `${dirname(await ensureTemporalCli(() => {}))}:${process.env.PATH}`;
  const children: Child[] = [];
  const workers = async (...args: string[]) => {
    const command = node("scripts/cli.ts", "workers", ...args, "--json");
    const options = { cwd: checkoutFolder, env };
    return JSON.parse((await run(process.execPath, command, options)).stdout);
  };

  return {
    ...flowsOn(deps, temporal.client),
    gateway: createFlows(temporal.client),
    async startWorker(name: string, build = "") {
      const logFile = join(folder, `${name}.log`);
      const child = launch({
        ...{ name, logFile, cwd: checkoutFolder, program: process.execPath },
        args: node("worker.ts"),
        env: { ...env, WORKER_BUILD_ID: build },
      });
      children.push(child);
      const ready = async () => {
        if (!readFileSync(logFile, "utf8").includes("worker ready")) throw new Error("not ready");
      };
      await waitUntilReady(child, ready, START_MS);
      return child;
    },
    workers,
    /** Waits until `count` open flows are left on a build, by Temporal's (delayed) visibility. */
    openOn: (build: string, count: number) =>
      until(
        () => workers("list") as Promise<{ builds: Build[] }>,
        ({ builds }) => builds.find((each) => each.build === build)?.openFlows === count,
      ),
    /** Runs an operator's command. */
    operator: (command: string, variables: Record<string, string>) =>
      run("bash", ["-euc", command], { env: { ...env, ...variables, PATH } }),
    async stop() {
      await Promise.all(children.map((child) => child.stop()));
      await Promise.all([database.close(), redis.close()]);
      await Promise.all([temporal.stop(), own.drop()]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** The process ids of the workers that have worked on a flow. */
async function workersOf(flow: Flow): Promise<number[]> {
  const identities = (await flow.history()).flatMap(
    ({ workflowTaskCompletedEventAttributes: done }) => done?.identity ?? [],
  );
  return [...new Set(identities.map((identity) => Number(identity.split("@")[0])))];
}

const begin = async () => {
  const flow = await installed.loginChallenge({ method: "otp" });
  await flow.reaches("awaiting_passcode");
  return flow;
};

async function end(flow: Flow) {
  await flow.update("acceptPasscode", { factor: "otp", origin: ORIGIN });
  expect(await flow.handle.result()).toMatchObject({ state: "authenticated" });
}

const operations = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
/** The command in docs/operations.md that moves an open flow to another build. */
const [, MOVE = ""] = /^```sh\n(temporal workflow update-options .*?)^```/ms.exec(operations) ?? [];

test("builds of the worker take turns; each flow ends on the build it began on", async () => {
  const { startWorker, workers, openOn } = installed;
  expect(await workers("list")).toEqual({ builds: [] });

  const plain = await startWorker("plain");
  expect(await workers("promote")).toEqual({ current: null });
  const before = await begin();

  const a = await startWorker("a", "A");
  const beforeToo = await begin();
  expect(await workers("promote", "A")).toEqual({ current: "A" });
  const onA = await begin();
  const movedToB = await begin();

  const b = await startWorker("b", "B");
  const onAToo = await begin();
  expect(await workers("promote", "B")).toEqual({ current: "B" });
  const onB = await begin();
  for (const flow of [before, beforeToo, onA, onAToo, onB]) await end(flow);
  // A flow without a build moves to the current build with its next task.
  expect(await workersOf(before)).toEqual([plain.pid, b.pid]);
  expect(await workersOf(beforeToo)).toEqual([plain.pid, b.pid]);
  expect(await workersOf(onA)).toEqual([a.pid]);
  expect(await workersOf(onAToo)).toEqual([a.pid]);
  expect(await workersOf(onB)).toEqual([b.pid]);

  expect(await workers("promote", "A")).toEqual({ current: "A" });
  const rolledBack = await begin();
  await end(rolledBack);
  expect(await workersOf(rolledBack)).toEqual([a.pid]);

  expect(await workers("promote", "B")).toEqual({ current: "B" });
  await openOn("A", 1);
  expect((await workers("list")).builds).toMatchObject([
    { build: "B", state: "current", openFlows: 0, polls: true },
    { build: "A", state: "draining", openFlows: 1, polls: true },
  ]);
  await installed.operator(MOVE, { WORKFLOW_ID: movedToB.handle.workflowId, BUILD_ID: "B" });
  await openOn("A", 0);
  await Promise.all([plain.stop(), a.stop()]);
  await end(movedToB);
  expect(await workersOf(movedToB)).toEqual([a.pid, b.pid]);

  // An ended flow can still be read when the worker of its build is gone.
  const view = await installed.gateway.challenge(onA.challengeId);
  expect(view).toEqual(await onA.handle.result());
});

test("promoting a build waits for its worker", async () => {
  const { startWorker, workers, stop } = await install();
  try {
    const [promoted] = await Promise.all([workers("promote", "A"), startWorker("a", "A")]);
    expect(promoted).toEqual({ current: "A" });
  } finally {
    await stop();
  }
});
