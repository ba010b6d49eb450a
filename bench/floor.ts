import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Client } from "@temporalio/client";
import { connectTemporal } from "../scripts/temporal-namespace.ts";
import { load, type Run } from "./load.ts";
import { cpuEach, round } from "./measure.ts";
import type { BenchStack } from "./stack.ts";
import { usageOf } from "./usage.ts";

const TASK_QUEUE = "floor";
const WARM_UP = { clients: 32, seconds: 3 };
/** The start delay, in ms. The Update comes before it ends. */
const DELAY_MS = 300_000;

type Cost = { perSecond: number; latencyMs: Run["latencyMs"]; cpuMs: Record<string, number> };
/** By the number of clients. */
export type Floor = Record<string, Cost>;

/**
 * The cost of a workflow that only takes one Update, started like the workflow of a login by app:
 * on the stack's Temporal, with its own worker, and this process as the client.
 */
export async function measureFloor(stack: BenchStack, seconds: number): Promise<Floor> {
  const { namespace, env } = stack;
  const address = env.TEMPORAL_ADDRESS;
  const worker = fork(
    join(import.meta.dirname, "floor-worker.ts"),
    [address, namespace, TASK_QUEUE],
    { execArgv: ["--import", "tsx"] },
  );
  const ended = once(worker, "exit").then(() => {
    throw new Error("The bare workflow's worker has ended");
  });
  await Promise.race([once(worker, "message"), ended]);
  ended.catch(() => {});
  const connection = await connectTemporal({ address });
  const { workflow } = new Client({ connection, namespace });
  const temporal = stack.processes().filter(({ part }) => part.startsWith("Temporal"));
  const used = () => {
    const { user, system } = process.cpuUsage();
    const others = usageOf([...temporal, { part: "worker", pid: worker.pid ?? 0 }]);
    return { ...others, client: { cpuMs: (user + system) / 1000 } };
  };
  const measure = async (clients: number, seconds: number): Promise<Cost> => {
    const before = used();
    const run = await load({ clients }, seconds, async (note) => {
      const options = { taskQueue: TASK_QUEUE, workflowId: crypto.randomUUID() };
      const flow = await workflow.start("bare", { ...options, startDelay: DELAY_MS });
      const begun = performance.now();
      await flow.executeUpdate("answer");
      note("update", performance.now() - begun);
      return true;
    });
    const failed = Object.keys(run.errors).join(", ");
    if (failed) throw new Error(`A bare workflow failed: ${failed}`);
    const { done, latencyMs } = run;
    const perSecond = round(done / run.seconds);
    return { perSecond, latencyMs, cpuMs: cpuEach(before, used(), done) };
  };
  try {
    await measure(WARM_UP.clients, WARM_UP.seconds);
    return { 1: await measure(1, seconds), 32: await measure(32, seconds) };
  } finally {
    await connection.close();
    worker.disconnect();
  }
}
