import { defineConfig, mergeConfig } from "vitest/config";
import usual from "../vitest.config.ts";

/** The end-to-end tests once more, scaled out: see docs/testing.md. */
export default defineConfig(
  mergeConfig(usual, {
    test: {
      globalSetup: "test/support/cluster-services.ts",
      // It cuts the line to one Redis.
      exclude: ["test/e2e/policy-outages.test.ts"],
      // They share the cluster, which has one database.
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 180_000,
    },
  }),
);
