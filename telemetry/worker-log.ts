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

/** The SDK's lines as the worker's own: JSON, at their levels. Below INFO it dumps what it is made of. */
export function sdkLogger(log: Logger): DefaultLogger {
  return new DefaultLogger("INFO", ({ level, message, meta }) =>
    log[LEVELS[level]](sdkFields(meta), message),
  );
}

/** Payloads say nothing to a reader, and errors are written out under pino's own name for them. */
function sdkFields({ task, taskEncoded, taskToken, error, ...rest }: LogMetadata = {}) {
  return { ...rest, ...(error !== undefined && { err: error }) };
}

/** What each log line says of the activity under way, if any; pino's `mixin`. */
export function activityFields() {
  const activity = asyncLocalStorage.getStore()?.info;
  if (!activity) return {};
  const { activityType, attempt, workflowExecution } = activity;
  return { activity: activityType, attempt, ...workflowExecution };
}
