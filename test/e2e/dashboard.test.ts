import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { freePort } from "../../scripts/ports.ts";
import { type Child, launch } from "../../scripts/processes.ts";
import { limit } from "../support/limits.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const docs = join(import.meta.dirname, "../../docs/grafana");
const read = (file: string) => readFileSync(join(docs, file), "utf8");

type Panel = { type: string; title: string; targets?: { expr: string }[] };
const { panels }: { panels: Panel[] } = JSON.parse(read("second-step.json"));
const charts = panels.filter(({ type }) => type !== "row");

/** Prometheus's answer to a query. */
type Result = { status: string; data: { result: { metric: object; value: [number, string] }[] } };

const folder = mkdtempSync(join(tmpdir(), "second-step-prometheus-"));
let service: Service;
let prometheus: Child;
let address: string;

const ask = async <T>(path: string, query: Record<string, string> = {}) =>
  (await (await fetch(`${address}/api/v1/${path}?${new URLSearchParams(query)}`)).json()) as T;

/** A real Prometheus that reads the real processes every second, by docs/grafana/prometheus.yml. */
async function startPrometheus() {
  const program = await ensureDebianPackage("prometheus", "prometheus", () => {});
  const count = service.metricsAddresses.length - service.urls.length;
  const workers = service.metricsAddresses.slice(0, count);
  const gateways = service.metricsAddresses.slice(count);
  const job = (name: string, targets: string[]) => ({
    job_name: name,
    static_configs: [{ targets: targets.map((url) => new URL(url).host) }],
  });
  const configuration = {
    global: { scrape_interval: "1s" },
    scrape_configs: [job("second-step-gateway", gateways), job("second-step-worker", workers)],
    rule_files: [join(docs, "alerts.yml")],
  };
  // JSON is valid YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(configuration));
  const host = `127.0.0.1:${await freePort()}`;
  address = `http://${host}`;
  return launch({
    name: "prometheus",
    program,
    args: [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${host}`,
    ],
    logFile: join(folder, "prometheus.log"),
  });
}

beforeAll(async () => {
  service = await startService("postgres", { WEBHOOKS_INSIDE: "true" });
  prometheus = await startPrometheus();

  // Everything that the dashboard shows happens once: logins, a refused message, a lock, an event
  // that no webhook takes.
  const administrator = await service.createUser({ role: "administrator" });
  const { token } = await logInByPassword(service, administrator);
  const nowhere = { url: `http://127.0.0.1:${await freePort()}/` };
  await service.api.call("POST", "/v1/account/webhooks", { token, body: nowhere });
  const user = await service.createUser();
  await service.api.logIn({ ...user, password: "not the right one" });
  const { e164 } = await enrollPhone(service, user);
  await service.forgetSends();
  await logInBySms(service, user, e164);
  await service.forgetSends();
  const { id } = await startChallenge(service, user);
  const passcode = await service.passcodeTo(e164);
  await challengeSent(service, id);
  await service.api.resendPasscode(id);
  for (let n = 1; n <= 7; n++) await service.api.verifyPasscode(id, wrongCode(passcode, n));
}, limit(180_000));
afterAll(async () => {
  await prometheus?.stop();
  await service?.stop();
  rmSync(folder, { recursive: true });
});

test.each(charts.map((chart) => [chart.title, chart] as const))(
  "the dashboard's %s has something to show",
  async (_, { targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets) {
      // Rare failures have no series here. Matching any value shows that the metric has the label.
      const query = expr.replaceAll("$__rate_interval", "1m").replaceAll('!="ok"', '=~".+"');
      const answer = await until(
        () => ask<Result>("query", { query }),
        ({ data }) => data.result.length > 0,
      );
      const labels = /by \(([^)]+)\)/
        .exec(expr)?.[1]
        ?.split(/, ?/)
        .filter((l) => l !== "le");
      for (const label of labels ?? [])
        expect(Object.keys(answer.data.result[0]?.metric ?? {}), expr).toContain(label);
    }
  },
);

test("the alert rules are valid, and each of their metrics exists", async () => {
  const promtool = await ensureDebianPackage("promtool", "prometheus", () => {});
  const { stdout } = await run(promtool, ["check", "rules", join(docs, "alerts.yml")]);
  expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
  await run(promtool, ["check", "config", "--syntax-only", join(docs, "prometheus.yml")]);

  const named = new Set(read("alerts.yml").match(/\b(second_step|temporal)_\w+/g));
  const { data } = await ask<{ data: string[] }>("label/__name__/values");
  expect(named.size).toBeGreaterThan(5);
  // The connections of this test have no TLS, and nobody was logged out. test/api/http/metrics.test.ts
  // knows the names.
  const missing = [...named].filter((name) => !data.includes(name));
  expect(missing.sort()).toEqual([
    "second_step_certificate_expiry_seconds",
    "second_step_redis_generation_begun_timestamp_seconds",
  ]);
});

test("both jobs that the alerts name are scraped", async () => {
  const { data } = await ask<Result>("query", { query: "sum by (job) (up)" });
  const workers = String(service.metricsAddresses.length - service.urls.length);
  const up = data.result.map(({ metric, value }) => ({ ...metric, up: value[1] }));
  expect(up).toEqual(
    expect.arrayContaining([
      { job: "second-step-gateway", up: "2" },
      { job: "second-step-worker", up: workers },
    ]),
  );
});
