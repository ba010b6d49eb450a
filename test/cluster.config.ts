import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";
import { limit } from "./support/limits.ts";

/** The end-to-end tests once more, scaled out: see docs/testing.md. */
export default defineConfig({
  test: {
    ...common,
    globalSetup: "test/support/cluster-services.ts",
    include: ["test/**/*.test.{ts,tsx}"],
    // It cuts the line to one Redis.
    exclude: ["test/e2e/policy-outages.test.ts"],
    // They share the cluster, which has one database.
    fileParallelism: false,
    testTimeout: limit(120_000),
    hookTimeout: limit(180_000),
  },
});
