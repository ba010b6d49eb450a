import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { limit } from "./test/support/limits.ts";

/** What every test file is run with. */
export const common = {
  environment: "node",
  pool: "forks",
  testTimeout: limit(30_000),
  hookTimeout: limit(60_000),
} as const;

/** Imports of what drives a browser or starts programs: two cores bear one such file at a time. */
const CROWDS =
  /from "[^"]*\/(browser|service|gateway|installation|deployment|copy|processes|outages|crash|fuzz|client-programs|smsc|redis-cluster)\.ts"|"node:child_process"/;

const files = readdirSync(join(import.meta.dirname, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.test\.tsx?$/.test(name))
  .map((name) => join("test", name));
const alone = files.filter((file) =>
  CROWDS.test(readFileSync(join(import.meta.dirname, file), "utf8")),
);

export default defineConfig({
  test: {
    globalSetup: "test/support/services.ts",
    projects: [
      {
        test: {
          ...common,
          name: "together",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: alone,
          // Tests wait for timers and for services more than they work: two cores are busy with five.
          maxWorkers: 5,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "alone",
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
