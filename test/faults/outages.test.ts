import { expect, test } from "vitest";
import { limit } from "../support/limits.ts";
import { used } from "../support/used.ts";
import { awayOf, installWithProvider, outageRun, providerOutage } from "./outages.ts";

const service = used(installWithProvider, limit(120_000));

test(
  "seconds without each part, under load: 503 in time, nothing spent, and back without a restart",
  async () => {
    const outages = [
      awayOf(service, "postgresql", "silent"),
      awayOf(service, "redis", "gone"),
      awayOf(service, "temporal", "silent"),
      providerOutage(service, "silence", "hanging"),
    ];
    for (const outage of outages) {
      const report = await outageRun(service, outage, 3_000);
      console.info(report);
      expect(report.calls).toBeGreaterThan(10);
    }
  },
  limit(120_000),
);
