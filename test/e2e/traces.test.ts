import { Worker, type WorkflowBundle } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WORKFLOW_INTERCEPTORS } from "../../telemetry/tracing.ts";
import { secretsIn } from "../support/histories.ts";
import { limit } from "../support/limits.ts";
import { startReceiver } from "../support/receiver.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  startChallenge,
} from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { type Span, startTraceReceiver } from "../support/traces.ts";
import { until } from "../support/until.ts";
import { bundle } from "../support/workflow-bundle.ts";
import { recordedHistories } from "../workflows/recorded.ts";

let receiver: Awaited<ReturnType<typeof startTraceReceiver>>;
let service: Service;
beforeAll(async () => {
  receiver = await startTraceReceiver();
  service = await startService("postgres", {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "100",
    WEBHOOKS_INSIDE: "true",
  });
}, limit(120_000));
afterAll(async () => {
  expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
  await receiver.stop();
});

/** Waits for the span with this name about the workflow. */
async function spanOf(name: string, workflowId: string) {
  const found = () =>
    receiver.spans.find(
      (span) =>
        span.name === name &&
        Object.values(span.attributes).some((a) => a.stringValue === workflowId),
    );
  const span = await until(async () => found(), Boolean);
  if (!span) throw new Error(`There is no span ${name}`);
  return span;
}

test("each trace leads from the request through the workflow to the activity, and has no secret", async () => {
  const user = await service.createUser();
  const { e164, id: device } = await enrollPhone(service, user);
  await service.forgetSends();
  const { id } = await startChallenge(service, user);
  const workflowId = `login-challenge/${id}`;
  const passcode = await service.passcodeTo(e164);
  await challengeSent(service, id);
  const verified = await service.api.verifyPasscode(id, passcode);

  const sent = await spanOf("RunActivity:sendPasscode", workflowId);
  await spanOf("RunWorkflow:loginChallenge", workflowId);
  expect(receiver.lineage(sent)).toEqual([
    "second-step-gateway POST /v1/login",
    "second-step-gateway StartWorkflow:loginChallenge",
    "second-step-worker RunWorkflow:loginChallenge",
    "second-step-worker StartActivity:sendPasscode",
    "second-step-worker RunActivity:sendPasscode",
  ]);
  const verifying = await spanOf("RunActivity:settleDevice", `sms-enrollment/${device}`);
  await until(
    async () => receiver.lineage(verifying).length,
    (length) => length === 5,
  );
  expect(receiver.lineage(verifying)).toEqual([
    "second-step-gateway POST /v1/me/devices/:id/verify",
    "second-step-gateway StartWorkflowUpdate:acceptPin",
    "second-step-worker HandleUpdate:acceptPin",
    "second-step-worker StartActivity:settleDevice",
    "second-step-worker RunActivity:settleDevice",
  ]);
  const accepted = await spanOf("StartWorkflowUpdate:acceptPasscode", workflowId);
  const requestId = verified.headers.get("x-request-id");
  // The gateway logs independently of its answers, so the line may come a moment later.
  const line = await until(
    async () =>
      service
        .logs()
        .map((text) => JSON.parse(text))
        .find((l) => l.requestId === requestId),
    Boolean,
  );
  expect(line).toMatchObject({ traceId: accepted.traceId, workflowIds: [workflowId] });

  const secrets = [user.password, e164.slice(2), passcode, verified.body.session.token];
  expect(secretsIn(receiver.bodies, secrets)).toEqual([]);
  const attributes = new Set(receiver.spans.flatMap((span) => Object.keys(span.attributes)));
  expect([...attributes].sort()).toEqual([
    "db.collection.name",
    "db.operation.name",
    "db.system.name",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "runId",
    "run_id",
    "sms.provider",
    "temporalActivityId",
    "temporalUpdateId",
    "temporalWorkflowId",
    "workflowId",
    "workflowType",
  ]);
});

test("one trace of a login by SMS reaches PostgreSQL, Redis and the SMS provider, from both processes", async () => {
  const user = await service.createUser();
  const { e164 } = await enrollPhone(service, user);
  await service.forgetSends();
  const { id } = await startChallenge(service, user);
  const passcode = await service.passcodeTo(e164);
  await challengeSent(service, id);
  // The span of a flow is sent when the flow ends.
  expect((await service.api.verifyPasscode(id, passcode)).status).toBe(200);
  const { traceId, spanId } = await spanOf("RunActivity:sendPasscode", `login-challenge/${id}`);

  const named = (wanted: RegExp) => async () =>
    receiver.spans.find(
      (span) => span.traceId === traceId && wanted.test(`${span.service} ${span.name}`),
    );
  const ROOT = "second-step-gateway POST /v1/login";
  const under = async (wanted: RegExp) => {
    const span = await until(named(wanted), Boolean);
    if (!span) throw new Error(`The trace has no span ${wanted}`);
    // A span is sent when it ends, so its parents come later.
    return until(
      async () => receiver.lineage(span),
      ([root]) => root === ROOT,
    );
  };
  expect(await under(/^second-step-gateway postgresql select users$/)).toEqual([
    ROOT,
    "second-step-gateway postgresql select users",
  ]);
  expect((await under(/^second-step-gateway redis openChallenge$/))[0]).toBe(ROOT);
  expect((await under(/^second-step-worker sms outbox$/)).slice(-2)).toEqual([
    "second-step-worker RunActivity:sendPasscode",
    "second-step-worker sms outbox",
  ]);
  expect((await under(/^second-step-worker redis replacePasscode$/))[0]).toBe(ROOT);
  const ofActivity = () =>
    receiver.spans.filter((span) => span.parentSpanId === spanId).map(({ name }) => name);
  expect(
    await until(
      async () => ofActivity(),
      (names) => names.some((n) => n.startsWith("postgresql select")),
    ),
  ).toEqual(
    expect.arrayContaining([expect.stringMatching(/^postgresql select \w+$/), "sms outbox"]),
  );
  // The pings of timers would hide the others.
  expect(
    receiver.spans.filter(({ parentSpanId }) => !parentSpanId).map(({ name }) => name),
  ).toEqual(expect.not.arrayContaining([expect.stringMatching(/^(redis|postgresql)/)]));
});

test("a webhook's call is in the trace of its delivery", async () => {
  const peer = await startReceiver();
  try {
    const administrator = await service.createUser({ role: "administrator" });
    const { token } = await logInByPassword(service, administrator);
    const body = { url: `${peer.url}/hook` };
    await service.api.call("POST", "/v1/account/webhooks", { token, body });
    await logInByPassword(service, administrator);
    const found = async () => receiver.spans.find(({ name }) => name === "webhook");
    const span = await until(found, Boolean);
    expect(span?.attributes.outcome?.stringValue).toMatch(/^2..$/);
    expect(receiver.lineage(span as Span).slice(-2)).toEqual([
      "second-step-worker RunActivity:sendEvent",
      "second-step-worker webhook",
    ]);
    expect(secretsIn(receiver.bodies, [peer.url])).toEqual([]);
  } finally {
    await peer.stop();
  }
});

test("attack: a client cannot choose the trace of its request", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const path = "/v1/session";
  await service.send(path, { headers });
  const span = await until(
    async () => receiver.spans.find(({ name }) => name === `GET ${path}`),
    Boolean,
  );
  expect(span?.traceId).not.toBe(traceId);
});

/** The errors of the histories that do not replay on this code. */
async function faultsOf(
  workflowBundle: WorkflowBundle,
  histories: Iterable<{ workflowId: string; history: unknown }>,
) {
  const sinks = { exporter: { export: { fn() {} } } };
  const faults: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, sinks },
    histories,
  ))
    if (error) faults.push(`${workflowId}: ${error.message}`);
  return faults;
}

test(
  "flows that began without traces continue with them, and the other way round",
  async () => {
    const [plain, traced] = await Promise.all([bundle(), bundle(WORKFLOW_INTERCEPTORS)]);
    const recorded = recordedHistories();
    expect(recorded.length).toBeGreaterThan(10);
    expect(await faultsOf(traced, recorded)).toEqual([]);

    const { workflow } = service.temporal.client;
    const ended: { workflowId: string; history: unknown; type: string }[] = [];
    for await (const { workflowId, runId, type } of workflow.list())
      ended.push({
        workflowId,
        type,
        history: await workflow.getHandle(workflowId, runId).fetchHistory(),
      });
    expect(ended.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["loginChallenge", "smsEnrollment"]),
    );
    expect(await faultsOf(plain, ended)).toEqual([]);
  },
  limit(120_000),
);
