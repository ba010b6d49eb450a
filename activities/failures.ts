import { ApplicationFailure } from "@temporalio/common";
import { UndeliverableError } from "../providers/sms/sms.ts";
import { publish } from "../telemetry/facts.ts";

export type Log = { warn(fields: object, message: string): void };

/**
 * Wraps activities so that no error message reaches the workflow's history: an SQL error quotes its
 * parameters, a provider's error quotes the number. Only a failure type that never changes is
 * passed on.
 */
export function withoutSecrets<
  // biome-ignore lint/suspicious/noExplicitAny: each activity keeps its own argument and result types
  A extends Record<string, (...args: any[]) => Promise<unknown>>,
>(log: Log, activities: A): A {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: unknown[]) => {
      const begun = performance.now();
      const ended = (outcome: string) =>
        publish("activity", {
          activity: name,
          outcome,
          seconds: (performance.now() - begun) / 1000,
        });
      try {
        const result = await activity(...args);
        ended("ok");
        return result;
      } catch (error) {
        const failure = anonymous(log, name, error);
        ended(failure.type ?? "failed");
        throw failure;
      }
    },
  ]);
  return Object.fromEntries(wrapped);
}

function anonymous(log: Log, activity: string, error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof UndeliverableError)
    return ApplicationFailure.nonRetryable("The phone cannot be reached", error.reason);
  const cause = error instanceof Error && error.cause ? error.cause : error;
  const code = (cause as { code?: unknown })?.code;
  log.warn({ activity, error: (cause as Error)?.name, code }, "activity failed; it is retried");
  return ApplicationFailure.retryable(`${activity} failed`, "dependency_unavailable");
}
