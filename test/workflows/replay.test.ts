import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker, type WorkflowBundle } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";
import { beforeAll, describe, expect, test } from "vitest";
import * as workflows from "../../workflows/index.ts";
import { IDENTITY } from "../support/temporal.ts";
import { bundle } from "../support/workflow-bundle.ts";
import { everyEnd } from "./every-end.ts";
import { outcomes } from "./outcomes/index.ts";
import { endOf, type Recorded, recordedHistories } from "./recorded.ts";
import { useWorld } from "./world.ts";

let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  workflowBundle = await bundle();
});

describe("today's flows", () => {
  const world = useWorld("skipping");
  const ended: Recorded[] = [];

  test.each(Object.entries(outcomes))("%s", async (name, outcome) => {
    const flow = await outcome(world);
    await flow.result();
    ended.push({ name, workflowId: flow.workflowId, history: await flow.fetchHistory() });
  });

  test("replay", async () => {
    expect(await failuresOf(ended)).toEqual([]);
    expect(ended).toHaveLength(Object.keys(outcomes).length);
  });

  test("do not replay on other code", async () => {
    const { handle, reaches } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    const history = await handle.fetchHistory();
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? [])
      if (scheduled?.activityType) scheduled.activityType.name = "sendLetter";
    await expect(
      Worker.runReplayHistory({ workflowBundle }, history, handle.workflowId),
    ).rejects.toThrow(DeterminismViolationError);
  });
});

describe("recorded histories", () => {
  const recorded = recordedHistories();

  test("cover every end of every flow", async () => {
    const ends = await everyEnd();
    expect(new Set(ends.map((end) => end.split(":")[0]))).toEqual(new Set(Object.keys(workflows)));
    expect(new Set(recorded.map(({ history }) => endOf(history)))).toEqual(new Set(ends));
    expect(recorded.map(({ name }) => name).sort()).toEqual(Object.keys(outcomes).sort());
  });

  test("replay on today's code", async () => {
    expect(await failuresOf(recorded)).toEqual([]);
  });

  test("name nothing of the machine that recorded them", () => {
    const checkout = fileURLToPath(new URL("../..", import.meta.url));
    for (const { name, history } of recorded) {
      const text = JSON.stringify(history);
      for (const word of [`@${hostname()}`, checkout, "file://"])
        expect(text, name).not.toContain(word);
      const identities = [...text.matchAll(/"identity":"([^"]*)"/g)].map(([, who]) => who);
      // "history-service" is the server itself: it passes signals to other flows.
      for (const who of identities) expect([IDENTITY, "history-service"], name).toContain(who);
    }
  });
});

/** The histories that do not replay on today's code, each with its error. */
async function failuresOf(histories: Recorded[]) {
  const failures: unknown[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle },
    histories,
  ))
    if (error) failures.push([workflowId, error.message]);
  return failures;
}
