import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";

/**
 * Runs the tests for one mutation over services that already run: starts in a third of the time.
 */
export default defineConfig({
  test: {
    ...common,
    globalSetup: "test/mutations/harness/given-services.ts",
    include: ["test/**/*.test.{ts,tsx}"],
    // Between two mutations only one file of the copy changes, so the rest stays cached.
    experimental: { fsModuleCache: true, fsModuleCachePath: ".vitest-modules" },
  },
});
