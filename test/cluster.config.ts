import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";
import { limit } from "./support/limits.ts";

/** The end-to-end tests, with two gateways, two workers and a Redis Cluster: docs/testing.md. */
export default defineConfig({
  test: {
    ...common,
    globalSetup: "test/support/cluster-services.ts",
    include: ["test/**/*.test.{ts,tsx}"],
    // These files cut the connection to a single Redis, or copy all of it.
    exclude: ["test/e2e/policy-outages.test.ts", "test/core/sessions/generations.test.ts"],
    // All files share the cluster, which has only one database.
    fileParallelism: false,
    testTimeout: limit(120_000),
    hookTimeout: limit(180_000),
  },
});
