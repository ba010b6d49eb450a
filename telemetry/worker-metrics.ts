import type { MetricMeter } from "@temporalio/common";
import type { TelemetryOptions } from "@temporalio/worker";
import { subscribe } from "./facts.ts";

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

/** Counts and measures what this worker's parts report. No tag names a user. */
export function measureWorker(meter: MetricMeter) {
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
}
