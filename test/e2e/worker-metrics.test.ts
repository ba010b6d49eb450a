import { afterAll, beforeAll, expect, test } from "vitest";
import { AUDIT_SCHEDULE, TASK_QUEUE } from "../../workflows/ids.ts";
import { limit } from "../support/limits.ts";
import { enrollPhone, logInBySms } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

let service: Service;
beforeAll(async () => {
  // One worker, because each counts only its own work.
  service = await startService("postgres", {}, 1);
}, limit(120_000));
afterAll(() => service.stop());

/** The lines of a worker's metric that have all these labels. */
const series = (text: string, name: string, labels: string[]) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));

test("the worker counts flows, activities and queries beside the SDK's own metrics", async () => {
  const user = await service.createUser();
  const { e164 } = await enrollPhone(service, user);
  await service.forgetSends();
  await logInBySms(service, user, e164);

  const paired = ['type="smsEnrollment"', 'outcome="verified"'];
  const loggedIn = ['type="loginChallenge"', 'outcome="authenticated"', 'method="sms"'];
  const ended = (text: string) => series(text, "second_step_flows_total", loggedIn);
  const [worker] = await until(service.metrics, ([text = ""]) => ended(text).length > 0);
  expect(ended(worker as string)).toEqual([expect.stringMatching(/ 1$/)]);
  expect(series(worker as string, "second_step_flows_total", paired)).toEqual([
    expect.stringMatching(/ 1$/),
  ]);
  for (const [name, labels] of [
    ["second_step_flow_duration_seconds_bucket", [...loggedIn, 'le="604800"']],
    ["second_step_flow_duration_seconds_count", loggedIn],
    ["second_step_activity_duration_seconds_count", ['activity="sendPin"', 'outcome="ok"']],
    ["second_step_activity_duration_seconds_bucket", ['activity="sendPin"', 'le="15"']],
    ["second_step_sms_total", ['provider="outbox"', 'outcome="sent"']],
    ["second_step_database_query_duration_seconds_count", ['outcome="ok"']],
    ["temporal_worker_task_slots_available", ['worker_type="ActivityWorker"']],
    ["temporal_workflow_completed_total", ['workflow_type="smsEnrollment"']],
  ] as const)
    expect(series(worker as string, name, [...labels]), name).not.toEqual([]);
  for (const name of ["size", "used", "waiting"])
    expect(worker).toMatch(new RegExp(`^second_step_database_pool_${name} \\d+$`, "m"));
  for (const secret of [user.id, user.username, e164.slice(1)])
    expect(worker).not.toContain(secret);
});

test("the upkeep of events is counted from 0, so that Prometheus sees the first one", async () => {
  const kept = (text = "") => series(text, "second_step_flows_total", ['type="auditMaintenance"']);
  const values = ([text]: string[]) =>
    kept(text).map((line) => line.replace(/.*outcome="(\w+)".*\} (\d+)$/, "$1 $2"));
  expect(values(await service.metrics()).sort()).toEqual(["dropped 0", "nothing_due 0"]);
  await service.temporal.client.workflow.execute("auditMaintenance", {
    taskQueue: TASK_QUEUE,
    workflowId: AUDIT_SCHEDULE,
  });
  const after = await until(service.metrics, (texts) => values(texts).includes("nothing_due 1"));
  expect(values(after).sort()).toEqual(["dropped 0", "nothing_due 1"]);
});
