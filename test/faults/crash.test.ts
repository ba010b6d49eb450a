import { expect, test } from "vitest";
import { limit } from "../support/limits.ts";
import { crashRun } from "./crash.ts";

/** FAULTS_SEED repeats the random choices of a run. */
const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);

test(
  "ten kills of workers, gateways, Redis and Temporal lose nothing and let nobody in",
  async () => {
    const { faults, deaths, executions, stories, compared, took } = await crashRun({
      ...{ seed, kills: 10, atATime: 4, paceMs: 1_500 },
    });
    console.info({ seed, kills: executions.kills, stories, compared, took });
    expect(faults).toEqual([]);
    expect(deaths).toEqual([]);
  },
  limit(300_000),
);
