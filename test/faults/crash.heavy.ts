import { expect, test } from "vitest";
import { crashRun } from "./crash.ts";

/** FAULTS_SEED repeats the random choices of a run; FAULTS_KILLS sets the number of kills. */
const { FAULTS_SEED = Date.now() % 1_000_000, FAULTS_KILLS = 300 } = process.env;

test("hundreds of kills, at every kind of event and at random, lose nothing and let nobody in", async () => {
  const run = await crashRun({
    ...{ seed: Number(FAULTS_SEED), kills: Number(FAULTS_KILLS), atATime: 8, paceMs: 1_200 },
  });
  const { faults, deaths, executions, stories, compared, took } = run;
  const { kills, atEvents, seen } = executions;
  console.info({ seed: FAULTS_SEED, kills, atEvents: atEvents.size, seen: seen.size });
  console.info({ stories, compared, took });
  console.info([...seen].sort().join("\n"));
  expect(faults).toEqual([]);
  expect(deaths).toEqual([]);
});
