import type { MetricMeter } from "@temporalio/common";
import type { TelemetryOptions } from "@temporalio/worker";
import { NO_BUILD } from "./build.ts";
import { certificates } from "./certificates.ts";
import { subscribe } from "./facts.ts";
import type { PoolUse } from "./pool-use.ts";

/** From a Redis round trip to the longest that an activity may take, in seconds. */
const WORK_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** From a code that is entered at once to a device that is verified on its last day, in seconds. */
const FLOWS_S = [5, 10, 20, 30, 60, 120, 300, 600, 3600, 86_400, 604_800];

/** The SDK's metrics and ours at one address for Prometheus; durations in seconds. */
export function exporterAt(bindAddress: string): TelemetryOptions["metrics"] {
  return {
    attachServiceName: false,
    prometheus: {
      bindAddress,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: {
        second_step_flow_duration: FLOWS_S,
        second_step_activity_duration: WORK_S,
        second_step_database_query_duration: WORK_S,
      },
    },
  };
}

/** How often gauges are set, in ms: the SDK's meter has none that are measured when they are read. */
const GAUGES_MS = 5_000;

/** Counts and measures what this worker's parts report. No tag names a user. */
export function measureWorker(
  meter: MetricMeter,
  {
    pool,
    clock,
    build = NO_BUILD,
  }: { pool: () => PoolUse; clock: { now(): number }; build?: string },
) {
  const duration = (name: string, about: string) =>
    meter.createHistogram(`second_step_${name}_duration`, "float", "seconds", about);
  const activities = duration("activity", "Attempts of activities, by outcome");
  const queries = duration("database_query", "PostgreSQL queries, waits included");
  const counter = (name: string, about: string) =>
    meter.createCounter(`second_step_${name}`, undefined, about);
  const messages = counter("sms", "SMS handed to a provider, by its answer");
  const webhooks = counter("webhook_attempts", "Attempts to deliver to webhooks, by the answer");

  subscribe("activity", ({ seconds, ...tags }) => activities.record(seconds, tags));
  subscribe("database-query", ({ seconds, ...tags }) => queries.record(seconds, tags));
  subscribe("webhook", (tags) => webhooks.add(1, tags));
  subscribe("sms", (tags) => messages.add(1, tags));

  const gauge = (name: string, unit: string | undefined, about: string) =>
    meter.createGauge(`second_step_${name}`, "int", unit, about);
  gauge("build_info", undefined, "Always 1; the build of this process").set(1, { build });
  const size = gauge("database_pool_size", undefined, "The most connections to PostgreSQL");
  const used = gauge("database_pool_used", undefined, "Connections to PostgreSQL that work now");
  const waiting = gauge("database_pool_waiting", undefined, "Queries that wait for a connection");
  const expiry = gauge("certificate_expiry", "seconds", "Until the certificate expires");
  const measure = () => {
    const now = pool();
    size.set(now.size);
    used.set(now.used);
    waiting.set(now.waiting);
    for (const { certificate, seconds } of certificates(clock.now()))
      expiry.set(Math.max(0, Math.round(seconds)), { certificate });
  };
  measure();
  setInterval(measure, GAUGES_MS).unref();
}

/**
 * Counts the upkeep of the audit trail from 0, with the labels that the SDK gives to a workflow's
 * counts. Prometheus sees no increase in a series that begins with 1, and AuditUpkeepMissing asks
 * for one.
 */
export function countUpkeepFromZero(
  meter: MetricMeter,
  queue: { namespace: string; taskQueue: string },
) {
  const type = "auditMaintenance";
  const flows = meter.createCounter("second_step_flows", undefined, "Flows by how they ended");
  for (const outcome of ["nothing_due", "dropped"])
    flows.add(0, { ...queue, workflowType: type, type, outcome, method: "none" });
}
