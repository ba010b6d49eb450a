import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../scripts/progress.ts";
import { untilAtRest } from "./at-rest.ts";
import { type Blocked, takeBlocked } from "./blocked.ts";
import { type Counts, countsEach, readCounts, readEvents } from "./counts.ts";
import type { Delivered, Order } from "./generator.ts";
import type { Run } from "./load.ts";
import type { Load } from "./loads.ts";
import { type Having, makePeople, type Person } from "./people.ts";
import type { BenchStack } from "./stack.ts";
import { type Usage, usageOf } from "./usage.ts";

/** In ms. PostgreSQL's processes report what they did within a second. */
const REPORTED_WITHIN_MS = 1_200;
/** More units than can be done in a second, of work that each person does once. */
const ONCE_A_SECOND = 80;
/**
 * Some hundreds of logins. By then V8 has compiled the hot code, as in a service that runs for a
 * minute.
 */
const WARM_UP = { seconds: 15, clients: 32 };

/** The result of one load; `each` is for one unit of work. */
export type Result = Omit<Delivered, "seconds" | "workflowId"> & {
  name: string;
  perSecond: number;
  /** For each unit of work, by part; `load` is the bench's own. */
  cpuMs: Record<string, number>;
  memoryMb: Record<string, number>;
  blocked: Blocked;
  each: Counts;
  /** The types of the events of one unit's workflow. */
  events: string[];
};

type Setting = { stack: BenchStack; users: number; hash: boolean; report: Report };

/** Measures loads on a stack. A process of its own makes the load. */
export async function openMeasuring({ stack, users, hash, report }: Setting) {
  const crowds = new Map<Having, Person[]>();
  const make = (having: Having, quantity: number) => {
    report(`Making ${quantity} users with ${having}`);
    return makePeople(stack.env, { quantity, having, hashed: hash });
  };
  const crowd = async (having: Having) => {
    const there = crowds.get(having) ?? (await make(having, users));
    crowds.set(having, there);
    return there;
  };

  const generator = fork(
    join(import.meta.dirname, "generator.ts"),
    [stack.env.REDIS_URL, ...stack.urls],
    {
      execArgv: ["--import", "tsx"],
    },
  );
  const ask = <T>(order: Order | "measure") =>
    new Promise<T>((resolve, reject) => {
      const ended = () => reject(new Error("The process that makes the load has ended"));
      generator.once("exit", ended);
      generator.once("message", (answer) => {
        generator.off("exit", ended);
        resolve(answer as T);
      });
      generator.send(order);
    });
  const processes = () => [...stack.processes(), { part: "load", pid: generator.pid ?? 0 }];

  async function prepare({ journey, pace, having, once }: Load, seconds: number) {
    const people = await (once
      ? make(having, Math.min(users, seconds * ONCE_A_SECOND))
      : crowd(having));
    const before = await ask<Run | "ready">({ journey, pace, seconds, people });
    if (before !== "ready" && Object.keys(before.errors).length > 0)
      report(`before the measurement: ${JSON.stringify(before.errors)}`);
    await untilAtRest(stack.processes());
  }

  return {
    /**
     * Resolves with the load's result. `around` is called when the load begins and when it has
     * ended.
     */
    async measure(
      load: Load,
      seconds: number,
      around?: { begin(): Promise<void>; end(done: number): Promise<void> },
    ): Promise<Result> {
      await prepare(load, seconds);
      report(load.name);
      takeBlocked(stack);
      const counted = await readCounts(stack);
      await around?.begin();
      const before = usageOf(processes());
      const { seconds: took, workflowId, ...run } = await ask<Delivered>("measure");
      const after = usageOf(processes());
      await around?.end(run.done);
      const { ms, byWorkMs } = takeBlocked(stack);
      await sleep(REPORTED_WITHIN_MS);
      return {
        ...{
          name: load.name,
          perSecond: round(run.done / took),
          ...run,
          ...spent(before, after, run.done),
        },
        blocked: { ms: round(ms), byWorkMs: round(byWorkMs) },
        each: countsEach(counted, await readCounts(stack), run.done),
        events: workflowId ? await readEvents(stack, workflowId) : [],
      };
    },
    /** Lets the parts compile and connect what they need. */
    async warmUp(load: Load) {
      const { seconds, clients } = WARM_UP;
      await prepare({ ...load, pace: { clients } }, seconds);
      report("Warming up");
      await ask("measure");
    },
    close: () => generator.disconnect(),
  };
}

/** To one decimal. */
export const round = (value: number) => Math.round(value * 10) / 10;

function spent(before: Usage, after: Usage, done: number) {
  const memoryMb = Object.entries(after).map(([part, { memoryMb }]) => [
    part,
    Math.round(memoryMb),
  ]);
  return { cpuMs: cpuEach(before, after, done), memoryMb: Object.fromEntries(memoryMb) };
}

type Used = Record<string, { cpuMs: number }>;

/** CPU ms of each unit of work, by part, to two decimals. */
export function cpuEach(before: Used, after: Used, done: number): Record<string, number> {
  const each = Object.entries(after).map(([part, { cpuMs }]) => {
    const spent = (cpuMs - (before[part]?.cpuMs ?? 0)) / done;
    return [part, Math.round(spent * 100) / 100];
  });
  return Object.fromEntries(each);
}
