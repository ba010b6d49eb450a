import { writeFileSync } from "node:fs";

/** The variable that names the file for the count of uncaught errors: test results have none. */
export const UNCAUGHT_FILE = "UNCAUGHT_FILE";

/** A reporter for vitest, which calls it with `new`. */
export default function uncaughtReporter() {
  return {
    onTestRunEnd(_modules: unknown, errors: readonly unknown[]) {
      const file = process.env[UNCAUGHT_FILE];
      if (file) writeFileSync(file, String(errors.length));
    },
  };
}
