import { asyncLocalStorage } from "@temporalio/activity";
import { DefaultLogger, type LogLevel, type LogMetadata } from "@temporalio/worker";
import type { Logger } from "pino";

const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
} as const satisfies Record<LogLevel, keyof Logger>;

/**
 * Writes the SDK's log lines as the worker's own: JSON, with their levels. Below INFO the SDK dumps
 * its internals, so those are left out.
 */
export function sdkLogger(log: Logger): DefaultLogger {
  return new DefaultLogger("INFO", ({ level, message, meta }) =>
    log[LEVELS[level]](sdkFields(meta), message),
  );
}

/**
 * Removes payloads, which a reader cannot use, and renames the error to `err`, as pino expects it.
 */
function sdkFields({ task, taskEncoded, taskToken, error, ...rest }: LogMetadata = {}) {
  return { ...rest, ...(error !== undefined && { err: error }) };
}

/** The fields of the current activity, if any, for each log line; pino's `mixin`. */
export function activityFields() {
  const activity = asyncLocalStorage.getStore()?.info;
  if (!activity) return {};
  const { activityType, attempt, workflowExecution } = activity;
  return { activity: activityType, attempt, ...workflowExecution };
}
