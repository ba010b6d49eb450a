import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";

const rules = join(import.meta.dirname, "../../docs/grafana/alerts.yml");
const folder = mkdtempSync(join(tmpdir(), "second-step-alerts-"));
let promtool: string;
beforeAll(async () => {
  promtool = await ensureDebianPackage("promtool", "prometheus", () => {});
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Values of series, one a minute, in the notation of promtool: `5x90` is 5 all the time. */
type Series = Record<string, string>;

const GATEWAY = 'job="second-step-gateway",instance="g"';
const WORKER = 'job="second-step-worker",instance="w"';
/** A worker of the build before. */
const OLD_WORKER = 'job="second-step-worker",instance="old"';
const build = (id: string, process: string) => `second_step_build_info{build="${id}",${process}}`;
const logins = (method: string, outcome: string, step = "passcode") =>
  `second_step_logins_total{step="${step}",outcome="${outcome}",method="${method}",${GATEWAY}}`;
const requests = (status: number) =>
  `second_step_http_request_duration_seconds_count{status="${status}",${GATEWAY}}`;
const calls = (outcome: string) =>
  `second_step_temporal_call_duration_seconds_count{call="update",outcome="${outcome}",${GATEWAY}}`;
const sms = (outcome: string) =>
  `second_step_sms_total{provider="smpp",outcome="${outcome}",${WORKER}}`;
const budget = (country: string) =>
  `second_step_send_budget_used_ratio{limit="${country ? "country" : "service"}",country="${country}",${GATEWAY}}`;
const up = (dependency: string) =>
  `second_step_dependency_up{dependency="${dependency}",${GATEWAY}}`;
const taskWait = (le: string) =>
  `temporal_workflow_task_schedule_to_start_latency_seconds_bucket{le="${le}",${WORKER}}`;
const passwordWait = (le: string) =>
  `second_step_password_wait_seconds_bucket{le="${le}",${GATEWAY}}`;
const slots = (type: string) =>
  `temporal_worker_task_slots_available{worker_type="${type}",task_queue="second-step",${WORKER}}`;

const begun = (cause: string) =>
  `second_step_redis_generation_begun_timestamp_seconds{cause="${cause}",${GATEWAY}}`;

const upkeep = (outcome: string) =>
  `second_step_flows_total{type="auditMaintenance",outcome="${outcome}",method="none",${WORKER}}`;

const PER_MINUTE_600 = "0+600x90";

/** A service on a good day: people log in, some mistype, and a little of everything is used. */
const GOOD: Series = {
  [`up{${GATEWAY}}`]: "1x90",
  [`up{${WORKER}}`]: "1x90",
  [build("2", GATEWAY)]: "1x90",
  [build("2", WORKER)]: "1x90",
  [logins("none", "authenticated", "password")]: PER_MINUTE_600,
  [logins("none", "invalid_credentials", "password")]: "0+100x90",
  [logins("sms", "authenticated")]: PER_MINUTE_600,
  [logins("sms", "passcode_rejected")]: "0+60x90",
  [logins("otp", "authenticated")]: PER_MINUTE_600,
  [requests(200)]: PER_MINUTE_600,
  [requests(503)]: "0+1x90",
  [calls("ok")]: PER_MINUTE_600,
  [calls("away")]: "0x90",
  [sms("sent")]: PER_MINUTE_600,
  [sms("failed")]: "0+10x90",
  [budget("")]: "0.79x90",
  [budget("+1")]: "0.5x90",
  [up("postgresql")]: "1x90",
  [up("redis")]: "1x90",
  [up("temporal")]: "1x90",
  [`second_step_sends_refused_total{limit="service",${GATEWAY}}`]: "0x90",
  [`second_step_locks_total{${GATEWAY}}`]: "0+1x90",
  [`second_step_events_waiting{${GATEWAY}}`]: "20x90",
  [`second_step_oldest_event_waiting_seconds{${GATEWAY}}`]: "2x90",
  [`second_step_oldest_unchained_event_seconds{${GATEWAY}}`]: "3x90",
  [begun("redis_empty")]: "60x90",
  [taskWait("0.1")]: PER_MINUTE_600,
  [taskWait("2.5")]: PER_MINUTE_600,
  [taskWait("+Inf")]: PER_MINUTE_600,
  [passwordWait("0.1")]: PER_MINUTE_600,
  [passwordWait("1")]: PER_MINUTE_600,
  [passwordWait("+Inf")]: PER_MINUTE_600,
  [`second_step_passwords_waiting{${GATEWAY}}`]: "3x90",
  [`second_step_database_pool_size{${GATEWAY}}`]: "10x90",
  [`second_step_database_pool_used{${GATEWAY}}`]: "4x90",
  [`second_step_database_pool_waiting{${GATEWAY}}`]: "0x90",
  [slots("ActivityWorker")]: "90x90",
  [slots("WorkflowWorker")]: "0x90",
  [`second_step_redis_memory_used_bytes{node="redis",${GATEWAY}}`]: "400x90",
  [`second_step_redis_memory_max_bytes{node="redis",${GATEWAY}}`]: "512x90",
  [`second_step_certificate_expiry_seconds{certificate="postgresql",${GATEWAY}}`]: "5000000x90",
  [upkeep("nothing_due")]: "0x20 1x24 2x24 3x24",
  [upkeep("dropped")]: "0x90",
};

/**
 * Each alert, and what happens on an otherwise good day. An empty value means: no such series. With
 * HOURS the values are one an hour.
 */
type Situation = [string, string[], Series, number?];
const HOURS = 60;
const SITUATIONS: Situation[] = [
  ["every gateway is gone from Prometheus's targets", ["NoGateway"], { [`up{${GATEWAY}}`]: "" }],
  ["no gateway answers", ["GatewayAway", "NoGateway"], { [`up{${GATEWAY}}`]: "0x90" }],
  [
    "one gateway of two does not answer",
    ["GatewayAway"],
    { 'up{job="second-step-gateway",instance="g2"}': "0x90" },
  ],
  [
    "every worker is gone from Prometheus's targets",
    ["NoWorker"],
    { [`up{${WORKER}}`]: "", [build("2", WORKER)]: "" },
  ],
  [
    "no worker answers",
    ["NoWorker", "WorkerAway"],
    { [`up{${WORKER}}`]: "0x90", [build("2", WORKER)]: "" },
  ],
  [
    "only a worker of the build before answers",
    ["NoWorkerOfBuild"],
    {
      [`up{${WORKER}}`]: "",
      [build("2", WORKER)]: "",
      [`up{${OLD_WORKER}}`]: "1x90",
      [build("1", OLD_WORKER)]: "1x90",
    },
  ],
  [
    "a worker of the build before goes on beside the new one",
    [],
    { [`up{${OLD_WORKER}}`]: "1x90", [build("1", OLD_WORKER)]: "1x90" },
  ],
  ["Redis does not answer", ["DependencyDown"], { [up("redis")]: "0x90" }],
  ["one request in ten fails", ["RequestsFail"], { [requests(503)]: "0+66x90" }],
  ["calls to Temporal fail", ["TemporalAway"], { [calls("away")]: "0+60x90" }],
  [
    "a provider takes half of the messages",
    ["SmsProviderFails"],
    { [sms("failed")]: PER_MINUTE_600 },
  ],
  ["80 % of the messages to a country are sent", ["SmsLimitNear"], { [budget("+1")]: "0.8x90" }],
  ["95 % of the service's messages are sent", ["SmsLimitNear"], { [budget("")]: "0.95x90" }],
  [
    "messages are refused because the hour's are spent",
    ["SmsLimitSpent"],
    { [`second_step_sends_refused_total{limit="service",${GATEWAY}}`]: "0+2x90" },
  ],
  [
    "two users a minute are locked",
    ["ManyLocks"],
    { [`second_step_locks_total{${GATEWAY}}`]: "0+2x90" },
  ],
  [
    "nine passwords in ten are wrong",
    ["ManyWrongPasswords"],
    { [logins("none", "invalid_credentials", "password")]: "0+6000x90" },
  ],
  [
    "two thousand events wait",
    ["EventsWait"],
    { [`second_step_events_waiting{${GATEWAY}}`]: "2000x90" },
  ],
  [
    "one event waits for ten minutes",
    ["OldestEventWaits"],
    { [`second_step_oldest_event_waiting_seconds{${GATEWAY}}`]: "600x90" },
  ],
  [
    "one event is in no chain for an hour",
    ["EventsUnchained"],
    { [`second_step_oldest_unchained_event_seconds{${GATEWAY}}`]: "3600x90" },
  ],
  [
    "Redis was found empty half an hour ago",
    ["EverybodyLoggedOut"],
    { [begun("redis_empty")]: "60x60 3600x30" },
  ],
  [
    "an operator logged everybody out half an hour ago",
    [],
    { [begun("redis_empty")]: "", [begun("by_hand")]: "3600x90" },
  ],
  ["workflow tasks wait for two seconds", ["WorkWaits"], { [taskWait("0.1")]: "0x90" }],
  [
    "queries wait for a connection",
    ["DatabasePoolFull"],
    { [`second_step_database_pool_waiting{${GATEWAY}}`]: "3x90" },
  ],
  [
    "every connection to PostgreSQL works",
    ["DatabasePoolFull"],
    { [`second_step_database_pool_used{${GATEWAY}}`]: "10x90" },
  ],
  ["passwords wait for nearly a second", ["PasswordsWait"], { [passwordWait("0.1")]: "0x90" }],
  [
    "sixty passwords wait at once",
    ["PasswordsWait"],
    { [`second_step_passwords_waiting{${GATEWAY}}`]: "60x90" },
  ],
  ["a worker has no free slot", ["ActivitySlotsFull"], { [slots("ActivityWorker")]: "0x90" }],
  [
    "Redis is four fifths full",
    ["RedisMemoryNear"],
    { [`second_step_redis_memory_used_bytes{node="redis",${GATEWAY}}`]: "420x90" },
  ],
  [
    "a certificate ends in a week",
    ["CertificateExpires"],
    {
      [`second_step_certificate_expiry_seconds{certificate="postgresql",${GATEWAY}}`]: "604800x90",
    },
  ],
  [
    "one login by SMS in twenty fails",
    ["LoginsFailFast", "LoginsFailSlowly"],
    { [logins("sms", "service_unavailable")]: "0+30x90" },
  ],
  [
    "one login by SMS in two hundred fails",
    ["LoginsFailSlowly"],
    { [logins("sms", "internal_error")]: "0+3x90" },
  ],
  [
    "logins failed an hour ago, and do no longer",
    ["LoginsFailSlowly"],
    { [logins("otp", "service_unavailable")]: "0+60x20 1200x70" },
  ],
  ["nothing unusual happens for days", [], {}, HOURS],
  [
    "the upkeep of events gives up in its last three nights",
    ["AuditUpkeepMissing"],
    {
      [upkeep("nothing_due")]: "0x20 1x70",
      [upkeep("given_up")]: "0x44 1x23 2x24",
    },
    HOURS,
  ],
  [
    "the upkeep gives up in its last night only",
    [],
    { [upkeep("nothing_due")]: "0x20 1x24 2x46", [upkeep("given_up")]: "0x68 1x22" },
    HOURS,
  ],
  [
    "the workers were replaced by new ones after the last upkeep",
    [],
    {
      [upkeep("nothing_due")]: "0x20 1x24 2x10 _x36",
      [`up{${WORKER}}`]: "1x54 _x36",
      [upkeep("nothing_due").replace('"w"', '"w2"')]: "_x54 0x36",
      [`up{${WORKER.replace('"w"', '"w2"')}}`]: "_x54 1x36",
    },
    HOURS,
  ],
  [
    "a new installation has had no upkeep in its first two days",
    [],
    { [upkeep("nothing_due")]: "_x50 0x40", [`up{${WORKER}}`]: "_x50 1x40" },
    HOURS,
  ],
  ["two logins of a quiet night fail", [], { [logins("otp", "internal_error")]: "0x70 1 2x20" }],
];

/** What promtool says if exactly these alerts are expected to fire at the ninetieth value. */
async function verdict(changes: Series, fires: string[], minutes: number): Promise<string> {
  const series = Object.entries({ ...GOOD, ...changes }).filter(([, values]) => values !== "");
  const unit = {
    rule_files: [rules],
    evaluation_interval: `${minutes}m`,
    tests: [
      {
        interval: `${minutes}m`,
        input_series: series.map(([series, values]) => ({ series, values })),
        promql_expr_test: [
          {
            eval_time: `${89 * minutes}m`,
            expr: 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
            exp_samples: fires.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
          },
        ],
      },
    ],
  };
  const file = join(folder, "test.yml");
  // JSON is valid YAML.
  writeFileSync(file, JSON.stringify(unit));
  const { stdout, stderr } = await promisify(execFile)(promtool, ["test", "rules", file]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return stdout + stderr;
}

test.each([["nothing unusual happens", [], {}] as Situation, ...SITUATIONS])(
  "when %s, these alerts fire: %j",
  async (_, fires, changes, minutes = 1) => {
    expect(await verdict(changes, fires, minutes)).toMatch(/SUCCESS/);
  },
);

test("every alert fires in one of the situations", () => {
  const alerts = [...readFileSync(rules, "utf8").matchAll(/- alert: (\w+)/g)].map(([, a]) => a);
  expect([...new Set(SITUATIONS.flatMap(([, fires]) => fires))].sort()).toEqual(alerts.sort());
});
