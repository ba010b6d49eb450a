import { writeFileSync } from "node:fs";

/** Where the reporter writes how many errors nobody caught: outside of every test, so no results tell. */
export const UNCAUGHT_FILE = "UNCAUGHT_FILE";

/** A reporter of vitest's, which calls it with `new`. */
export default function uncaughtReporter() {
  return {
    onTestRunEnd(_modules: unknown, errors: readonly unknown[]) {
      const file = process.env[UNCAUGHT_FILE];
      if (file) writeFileSync(file, String(errors.length));
    },
  };
}
