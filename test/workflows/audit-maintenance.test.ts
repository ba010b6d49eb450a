import { expect, test } from "vitest";
import { AUDIT_SCHEDULE, TASK_QUEUE } from "../../workflows/ids.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");

test("an upkeep that reaches no database for hours gives up, which the metric of flows counts", async () => {
  const config = { ...world.config, DATABASE_URL: "postgres://127.0.0.1:1/none" };
  await world.withoutWorker(async () => {}, { config });
  const flow = await world.temporal.client.workflow.start("auditMaintenance", {
    taskQueue: TASK_QUEUE,
    workflowId: AUDIT_SCHEDULE,
  });
  expect(await flow.result()).toBe("given_up");
});
