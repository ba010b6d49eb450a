import { expect, test } from "vitest";
import { used } from "../support/used.ts";
import { awayOf, installWithProvider, noWorkers, outageRun, providerOutage } from "./outages.ts";

/** How long each outage lasts, in seconds. */
const { FAULTS_SECONDS = 30 } = process.env;

const service = used(installWithProvider);

test("half a minute without each part, under load: 503 in time, nothing spent, and back without a restart", async () => {
  const outages = [
    ...["postgresql", "redis", "temporal"].flatMap((name) => [
      awayOf(service, name, "silent"),
      awayOf(service, name, "gone"),
    ]),
    noWorkers(service),
    providerOutage(service, "silence", "hanging"),
    providerOutage(service, "slowly taken", "slow"),
    providerOutage(service, { status: 503, code: 20503, message: "Busy" }, "refusing"),
  ];
  for (const outage of outages) {
    const report = await outageRun(service, outage, Number(FAULTS_SECONDS) * 1000);
    console.info(report);
    expect(report.calls).toBeGreaterThan(10);
    // The promise is two seconds. A single call may take longer, because test machines pause.
    expect(report.p99Ms, report.outage).toBeLessThan(2_000);
    expect(report.slowestMs, `${report.outage}: ${report.slowest}`).toBeLessThan(2_500);
  }
});
