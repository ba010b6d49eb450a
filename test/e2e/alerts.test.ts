import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";

const rules = join(import.meta.dirname, "../../docs/grafana/alerts.yml");
const folder = mkdtempSync(join(tmpdir(), "second-step-alerts-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The countries for which SmsLimitNear fires when the gateways report these ratios. */
async function firing(ratios: { country: string; ratio: number }[], fires: string[]) {
  const promtool = await ensureDebianPackage("promtool", "prometheus", () => {});
  const labels = (country: string) =>
    country ? { limit: "country", country } : { limit: "service" };
  const file = join(folder, "test.yml");
  // JSON is valid YAML.
  const unit = {
    rule_files: [rules],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: ratios.map(({ country, ratio }) => ({
          series: `second_step_send_budget_used_ratio{${Object.entries({ ...labels(country), instance: "a" }).map(([name, value]) => `${name}="${value}"`)}}`,
          values: `${ratio}x5`,
        })),
        alert_rule_test: [
          {
            eval_time: "2m",
            alertname: "SmsLimitNear",
            exp_alerts: fires.map((country) => ({
              exp_labels: { severity: "page", ...labels(country) },
              exp_annotations: {
                summary: `Four in five of the hour's messages are sent (${Object.values(labels(country)).join(" ")}); raise SMS_PER_HOUR or SMS_PER_COUNTRY_AND_HOUR, or find who is pumping SMS`,
              },
            })),
          },
        ],
      },
    ],
  };
  writeFileSync(file, JSON.stringify(unit));
  return promisify(execFile)(promtool, ["test", "rules", file]);
}

test("SmsLimitNear fires at 80 % of a budget, for the service and for each country", async () => {
  const ratios = [
    { country: "", ratio: 0.79 },
    { country: "+1", ratio: 0.8 },
    { country: "+49", ratio: 0.1 },
  ];
  await expect(firing(ratios, ["+1"])).resolves.toMatchObject({
    stdout: expect.stringContaining("SUCCESS"),
  });
  await expect(firing([{ country: "", ratio: 0.95 }], [""])).resolves.toBeDefined();
});
